"""Sources whose releases go out without reviewers, by an administrator's recorded decision. Screening and the negative list still hold."""
