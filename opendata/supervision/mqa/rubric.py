"""The rubric: indicators, their points, and what to do about each. Source: the methodology page of data.europa.eu's MQA."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Dimension(StrEnum):
    FINDABILITY = "findability"
    ACCESSIBILITY = "accessibility"
    INTEROPERABILITY = "interoperability"
    REUSABILITY = "reusability"
    CONTEXTUALITY = "contextuality"


class Rating(StrEnum):
    EXCELLENT = "excellent"
    GOOD = "good"
    SUFFICIENT = "sufficient"
    BAD = "bad"


DIMENSIONS = {
    Dimension.FINDABILITY: ("可查找", "Findability"),
    Dimension.ACCESSIBILITY: ("可访问", "Accessibility"),
    Dimension.INTEROPERABILITY: ("可互操作", "Interoperability"),
    Dimension.REUSABILITY: ("可重用", "Reusability"),
    Dimension.CONTEXTUALITY: ("上下文", "Contextuality"),
}
RATINGS = {
    Rating.EXCELLENT: ("优秀", "excellent"),
    Rating.GOOD: ("良好", "good"),
    Rating.SUFFICIENT: ("合格", "sufficient"),
    Rating.BAD: ("较差", "bad"),
}
_FROM = ((351, Rating.EXCELLENT), (221, Rating.GOOD), (121, Rating.SUFFICIENT), (0, Rating.BAD))


@dataclass(frozen=True)
class Indicator:
    code: str
    dimension: Dimension
    points: int
    title: tuple[str, str]
    """Chinese, English."""
    remedy: tuple[str, str]
    of_distribution: bool = False
    """Asked of the dataset's best distribution; else of the dataset."""


_F, _A, _I, _R, _C = Dimension
INDICATORS = (
    Indicator("keywords", _F, 30, ("关键词", "Keywords"), ("填写至少一个关键词。", "Give at least one keyword.")),
    Indicator("themes", _F, 30, ("主题", "Categories"), ("选择至少一个主题。", "Choose at least one theme.")),
    Indicator(
        "spatial", _F, 20, ("空间范围", "Geographic coverage"),
        ("填写行政区划代码，或经纬度范围。", "Give the division's code, or a bounding box."),
    ),
    Indicator(
        "temporal", _F, 20, ("时间范围", "Temporal coverage"),
        ("填写数据覆盖的起止日期。", "Give the first and the last day that the data covers."),
    ),
    Indicator(
        "access_url_answers", _A, 50, ("访问地址可用", "The access address answers"),
        ("改正或删除失效的链接，或直接上传文件；新链接等待每日检查。", "Mend or remove the dead link, or upload the file; a new link is asked within a day."),
        True,
    ),
    Indicator(
        "download_url", _A, 20, ("有下载地址", "A download address"),
        ("上传文件，使其可直接下载。", "Upload the file, so that it can be downloaded."), True,
    ),
    Indicator(
        "download_url_answers", _A, 30, ("下载地址可用", "The download address answers"),
        ("上传文件，或等待撤行处理结束。", "Upload the file, or wait until the rows are removed."), True,
    ),
    Indicator(
        "format", _I, 20, ("格式", "Format"),
        ("填写文件格式，如 CSV、JSON、XLSX。", "Say the file's format, such as CSV, JSON, XLSX."), True,
    ),
    Indicator(
        "media_type", _I, 10, ("媒体类型", "Media type"),
        ("填写已注册的媒体类型，如 text/csv。", "Say a registered media type, such as text/csv."), True,
    ),
    Indicator(
        "format_known", _I, 10, ("格式与媒体类型出自代码表", "Format and media type from the code lists"),
        ("格式与媒体类型均须在欧盟文件类型表与 IANA 登记表内。", "Choose both from the EU's file types and IANA's registry."), True,
    ),
    Indicator(
        "non_proprietary", _I, 20, ("非专有格式", "Non-proprietary format"),
        ("另提供 CSV、JSON、ODS 等开放格式。", "Offer an open format beside it: CSV, JSON, ODS."), True,
    ),
    Indicator(
        "machine_readable", _I, 20, ("机器可读格式", "Machine-readable format"),
        ("另提供 CSV、JSON、XLSX 等机器可读格式。", "Offer a machine-readable format beside it: CSV, JSON, XLSX."), True,
    ),
    Indicator(
        "dcat_ap", _I, 30, ("符合 DCAT-AP", "Fits DCAT-AP"),
        ("改正无法输出的字段（网址、电话、邮箱、日期），并至少提供一个文件。", "Correct what a feed cannot say (addresses, phone, e-mail, dates), and offer at least one file."),
    ),
    Indicator("licence", _R, 20, ("许可", "Licence"), ("选择使用许可。", "Choose a licence."), True),
    Indicator(
        "licence_known", _R, 10, ("许可出自代码表", "Licence from the code list"),
        ("可行时选择国际通用许可（如 CC BY 4.0、CC0）；本市许可不在欧盟许可表内。", "Where you may, choose an international one (CC BY 4.0, CC0); a city's own is not in the EU's table."),
        True,
    ),
    Indicator("access_rights", _R, 10, ("开放属性", "Access rights"), ("填写开放属性。", "Say the openness.")),
    Indicator(
        "access_rights_known", _R, 5, ("开放属性出自代码表", "Access rights from the code list"),
        ("从代码表选择开放属性。", "Choose the openness from the list."),
    ),
    Indicator(
        "contact", _R, 20, ("联系方式", "Contact point"),
        ("填写有效的联系邮箱或电话。", "Give a good e-mail address or telephone number."),
    ),
    Indicator("publisher", _R, 10, ("发布单位", "Publisher"), ("填写单位名称。", "Say the body's name.")),
    Indicator("rights", _C, 5, ("权利说明", "Rights"), ("填写开放条件或权利说明。", "Say the condition or the rights."), True),
    Indicator("byte_size", _C, 5, ("文件大小", "File size"), ("上传文件，大小随之登记。", "Upload the file: its size comes with it."), True),
    Indicator("issued", _C, 5, ("发布日期", "Date of issue"), ("发布后自动登记。", "Comes with publication."), True),
    Indicator("modified", _C, 5, ("更新日期", "Date of modification"), ("更新后自动登记。", "Comes with an update."), True),
)  # fmt: skip
BEST = sum(one.points for one in INDICATORS)
BITS = {one.code: 1 << place for place, one in enumerate(INDICATORS)}


def points(failing: Collection[str]) -> int:
    return sum(one.points for one in INDICATORS if one.code not in failing)


def rating(got: float) -> Rating:
    return next(name for least, name in _FROM if round(got) >= least)


def packed(failing: Iterable[str]) -> int:
    return sum(BITS[code] for code in set(failing))


def unpacked(bits: int) -> list[Indicator]:
    return [one for one in INDICATORS if bits & BITS[one.code]]
