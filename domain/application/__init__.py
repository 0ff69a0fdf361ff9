"""What people can do to a school: each command loads what it needs, decides, and appends as one."""
