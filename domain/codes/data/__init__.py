"""The code lists themselves, as CSV files; `README.md` says where each comes from."""
