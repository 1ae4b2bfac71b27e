"""Values and templates -> text; templates of users in a process of their own."""
