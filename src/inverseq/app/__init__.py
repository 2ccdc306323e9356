"""The web app: a person plays the grid world in the browser, and the games become data."""
