"""Standing release authority (常态更新授权): approved once by both reviewers, it lets updates of the same kind out by themselves."""
