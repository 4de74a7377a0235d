package syndicate

func (s *Server) pageRoutes() {}
