"""Files that schools send and take away: Target Tracker's 18 columns and the Common Transfer File."""
