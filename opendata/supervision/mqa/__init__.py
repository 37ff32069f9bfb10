"""Metadata quality by the 405 points of data.europa.eu (MQA): of each public dataset, of a body, of the site."""
