"""Reports for the browser: one file that needs no network, drawn by plotly.js from a command's report."""
