"""Relations of behaviour to series in time, neural ones say, and what they would be by chance."""
