"""Pages around the two reviews: the printed form, who reviews for whom, what people should know of."""
