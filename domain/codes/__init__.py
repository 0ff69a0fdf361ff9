"""Code sets and scales: DfE's lists, UPNs, postcodes, NC years and Target Tracker's steps."""
