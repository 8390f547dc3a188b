"""The leaderboard as one self-contained HTML page: `bench leaderboard --format html`."""
