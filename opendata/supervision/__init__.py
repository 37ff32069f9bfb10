"""Whether bodies do what they owe: rectification orders, periodic review, use, scores, yearly reports. Reads every floor below."""
