package main
var demoVerb = verb{name:"demo"}
