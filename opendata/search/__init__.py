"""The public index of datasets: the application analyses text itself (words, folding, synonyms), reads what people and
programs ask (the search box, CKAN's query language) into one kind of tree, and lets the index only match."""
