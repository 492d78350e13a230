"""Router: decides for each event who receives what, writes it down and hands it on."""
