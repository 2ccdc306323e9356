"""Animals whose rewards are alike: each drawn from its group's, groups from one another's."""
