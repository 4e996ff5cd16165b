"""Pure rules of the phone: no SQL, no HTTP, no Kivy, no clock; time and ids come in as values."""
