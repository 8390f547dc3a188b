"""One self-contained HTML page out of a results folder: `bench leaderboard --format html`."""
