"""Vocabularies (CKAN's): lists of terms that sysadmins keep. Everybody reads them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select

from opendata.catalog.models import Vocabulary, VocabularyTag
from opendata.core.errors import Conflict, Forbidden, NotFound
from opendata.core.ids import new_id
from opendata.work.unit import Work

Terms = Mapping[str, Sequence[str]]
"""Names of terms by the ids of their vocabularies, as datasets name them."""
_NEW: Mapping[str, str] = {}


@dataclass(frozen=True)
class Term:
    """A term in use. `vocabulary` is the name of its own."""

    id: str
    name: str
    vocabulary_id: str
    vocabulary: str


Known = Mapping[tuple[str, str], Term]
"""Terms that there are, by the ids of their vocabularies and their names."""


def known(work: Work, named: Iterable[Terms]) -> Known:
    """Those of the named terms that their vocabularies still have, in one statement."""
    wanted = {(key, name) for terms in named for key, names in terms.items() for name in names}
    if not wanted:
        return {}
    query = (
        select(VocabularyTag.id, VocabularyTag.name, Vocabulary.id, Vocabulary.name)
        .join(Vocabulary, Vocabulary.id == VocabularyTag.vocabulary_id)
        .where(
            Vocabulary.id.in_({key for key, _name in wanted}),
            VocabularyTag.name.in_({name for _key, name in wanted}),
        )
    )
    found = (Term(*row) for row in work.session.execute(query))
    return {pair: term for term in found if (pair := (term.vocabulary_id, term.name)) in wanted}


def names(work: Work, ids: Collection[str]) -> dict[str, str]:
    """Names of those of the vocabularies that there are, by their ids."""
    if not ids:
        return {}
    query = select(Vocabulary.id, Vocabulary.name).where(Vocabulary.id.in_(ids))
    return {row[0]: row[1] for row in work.session.execute(query)}


def of(terms: Terms, known: Known) -> list[Term]:
    """The named terms that there are."""
    pairs = ((key, name) for key, names in terms.items() for name in names)
    return [known[pair] for pair in pairs if pair in known]


def by_name(work: Work, terms: Terms) -> dict[str, list[str]]:
    """The named terms that there are, by the names of their vocabularies, in the order of these."""
    found: dict[str, list[str]] = {}
    for term in sorted(of(terms, known(work, [terms])), key=lambda term: (term.vocabulary, term.name)):
        found.setdefault(term.vocabulary, []).append(term.name)
    return found


def every(work: Work) -> Sequence[Vocabulary]:
    return (
        work.session.execute(select(Vocabulary).order_by(Vocabulary.created_at, Vocabulary.id))
        .scalars()
        .all()
    )


def find(work: Work, id_or_name: str) -> Vocabulary:
    """`NotFound("vocabulary_not_found")`."""
    query = select(Vocabulary).where((Vocabulary.id == id_or_name) | (Vocabulary.name == id_or_name))
    found = work.session.execute(query).scalars().first()
    if found is None:
        raise NotFound("vocabulary_not_found", id=id_or_name[:100])
    return found


def tags(work: Work, vocabularies: Sequence[Vocabulary]) -> dict[str, list[VocabularyTag]]:
    """The terms of each, by its id, ordered by name."""
    found: dict[str, list[VocabularyTag]] = {vocabulary.id: [] for vocabulary in vocabularies}
    query = select(VocabularyTag).where(VocabularyTag.vocabulary_id.in_(found)).order_by(VocabularyTag.name)
    for tag in work.session.execute(query).scalars():
        found[tag.vocabulary_id].append(tag)
    return found


def create(
    work: Work,
    name: str,
    tag_names: Sequence[str],
    *,
    vocabulary_id: str | None = None,
    ids: Mapping[str, str] = _NEW,
) -> Vocabulary:
    """`Conflict("name_taken")`, `Forbidden`. `vocabulary_id` and the terms' `ids`: those that they had elsewhere."""
    _check_right(work)
    _check_free(work, name)
    vocabulary = Vocabulary(id=vocabulary_id or new_id(), name=name, created_at=work.now)
    work.session.add(vocabulary)
    work.session.flush()
    set_tags(work, vocabulary, tag_names, ids=ids)
    work.record("vocabulary.created", "vocabulary", vocabulary.id, name=name)
    return vocabulary


def rename(work: Work, vocabulary: Vocabulary, name: str) -> None:
    _check_right(work)
    if name != vocabulary.name:
        _check_free(work, name)
    vocabulary.name = name
    work.session.flush()
    work.record("vocabulary.renamed", "vocabulary", vocabulary.id, name=name)


def set_tags(
    work: Work, vocabulary: Vocabulary, names: Sequence[str], *, ids: Mapping[str, str] = _NEW
) -> None:
    """It has exactly these terms afterwards; those that stay keep their ids."""
    _check_right(work)
    held = {tag.name: tag for tag in tags(work, [vocabulary])[vocabulary.id]}
    for name in held.keys() - set(names):
        work.session.delete(held[name])
    for name in dict.fromkeys(names):
        if name not in held:
            work.session.add(
                VocabularyTag(id=ids.get(name) or new_id(), vocabulary_id=vocabulary.id, name=name)
            )
    work.session.flush()
    work.record("vocabulary.tags_set", "vocabulary", vocabulary.id, tags=len(set(names)))


def add_tag(work: Work, vocabulary: Vocabulary, name: str) -> VocabularyTag:
    """`Conflict("name_taken")`."""
    _check_right(work)
    if any(tag.name == name for tag in tags(work, [vocabulary])[vocabulary.id]):
        raise Conflict("name_taken", name=name)
    tag = VocabularyTag(id=new_id(), vocabulary_id=vocabulary.id, name=name)
    work.session.add(tag)
    work.session.flush()
    work.record("vocabulary.tag_added", "vocabulary", vocabulary.id, tag=name)
    return tag


def remove_tag(work: Work, tag: VocabularyTag) -> None:
    _check_right(work)
    work.record("vocabulary.tag_removed", "vocabulary", tag.vocabulary_id, tag=tag.name)
    work.session.delete(tag)
    work.session.flush()


def remove(work: Work, vocabulary: Vocabulary) -> None:
    _check_right(work)
    work.record("vocabulary.deleted", "vocabulary", vocabulary.id, name=vocabulary.name)
    work.session.execute(delete(VocabularyTag).where(VocabularyTag.vocabulary_id == vocabulary.id))
    work.session.delete(vocabulary)
    work.session.flush()


def _check_free(work: Work, name: str) -> None:
    if work.session.execute(select(Vocabulary.id).where(Vocabulary.name == name)).first():
        raise Conflict("name_taken", name=name)


def _check_right(work: Work) -> None:
    if not work.actor.sysadmin:
        raise Forbidden("sysadmin_only")
