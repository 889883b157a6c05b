"""What attention does, what it costs and what others buy back, a command each: `mmattn compare why/NAME`."""
