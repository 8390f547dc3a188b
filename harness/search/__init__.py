"""The search for recipes: trials with candidate recipes, validated to choose one."""
