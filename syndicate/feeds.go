package syndicate

func (s *Server) feedRoutes() {}
