"""Moving from a CKAN: its bodies, groups, people, datasets, resources and files come over with ids and names kept, by the
same actions that CKAN's clients call. And back: what `ckanapi load` takes."""
