"""How the phone and the server agree. `phone.Phone` is what the screens talk to."""
