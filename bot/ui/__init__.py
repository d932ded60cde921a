"""What people see in Discord: cards, pagers, buttons, and text that fits."""
