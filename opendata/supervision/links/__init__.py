"""Links of public datasets: asked once a day whether they still lead anywhere."""
