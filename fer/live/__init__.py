"""Where people meet the champion: capture, page, window."""
