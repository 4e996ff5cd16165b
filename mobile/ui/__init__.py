"""The screens: Kivy, and nothing below knows it."""
