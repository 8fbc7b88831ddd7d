"""The commands of `fer`, a module a theme. Each loads what it runs only when it runs."""
