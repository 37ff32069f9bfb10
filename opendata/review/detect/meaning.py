"""What a column is about, by the words of its header and of its field in a ready schema."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any


class Meaning(Enum):
    ID = auto()
    NAME = auto()
    """Names of natural persons as such: 姓名, 户主."""
    OFFICIAL = auto()
    """Names of people by their office: 法定代表人, 负责人, 联系人."""
    BODY = auto()
    """Names or codes of bodies: firms, schools, stations."""
    MOBILE = auto()
    PHONE = auto()
    OFFICE = auto()
    """A contact of a service: 咨询电话."""
    CARD = auto()
    TRAVEL = auto()
    PLATE = auto()
    HOME = auto()
    ADDRESS = auto()
    BIRTH = auto()
    PLACE = auto()
    """Coordinates."""
    HOUSEHOLD = auto()
    PRIVATE_MAIL = auto()
    CODE = auto()
    SECRECY = auto()


_WORDS: Mapping[Meaning, str] = {
    Meaning.ID: r"身份证|身份号|公民身份|证件(?:号|编号|代码)|证照号码|id_?card|id_?(?:no|number)$|identity|^sfz|^gmsfh|^zjh|cert_?id",
    Meaning.NAME: (
        r"姓名|^名字$|户主|产权人|权利人|车主|业主|患者|病人|学生(?!数|人数)|考生|家长|监护人|家庭成员|持卡人|投诉人|举报人|信访人|保障对象|救助对象"
        r"|低保人|受助人|老人(?!数)|被执行人|当事人|申请人|残疾人(?!数)|职工(?!数)|本人|full_?name|person_?name|^xm$|xingming|natural_person"
    ),
    Meaning.OFFICIAL: (
        r"法定代表人|法人(?!及)|负责人|联系人|经营者|投资人|责任人|[校院园局站馆所社会理事厂场河湖林田]长|长姓名|执法人|检查人|审批人|经办人|评审专家|主任|书记|律师|医师|医生|教师|导游"
        r"|网格员|监督员|管理员|发言人|公证员|调解员|专家|裁判|教练|legal_?rep|principal|contact_?(?:name|person)|inspector|director|manager"
    ),
    Meaning.BODY: (
        r"机构|单位|企业|公司|学校|医院|药店|药房|门店|店名|店铺|商户|字号|主体|协会|事务所|部门|机关|场馆|站点|站名|车站|线路|路线|停车场|公厕|厕所|养老院|幼儿园|景区|酒店|宾馆|市场"
        r"|统一社会信用|信用代码|组织机构|uscc|org_|company|agency|institution|school|hospital|enterprise|unit_?name|station|route|venue|parking|toilet|provider|operator|authority"
        r"|行政相对人名称|counterparty_name|生产商|供应商|经营场所|项目名称|网点"
    ),
    Meaning.MOBILE: r"手机|移动电话|个人电话|本人电话|家庭电话|家长电话|住宅电话|mobile|cell_?phone|^sjh",
    Meaning.PHONE: r"电话|联系方式|联系号码|固话|座机|传真|tel|phone|fax|contact",
    Meaning.OFFICE: (
        r"咨询|服务|投诉|监督|举报电话|热线|办公|值班|公开|单位|机构|企业|公司|学校|医院|门店|店|预约|客服|对外|官方|公众|救援|急救|报警|传真|座机|固话|service|office|hotline|enquiry|fax"
    ),
    Meaning.CARD: r"银行卡|卡号|账号|帐号|账户|帐户|card_?(?:no|num)|account|iban|^yhkh",
    Meaning.TRAVEL: r"护照|通行证|台胞证|居留证|永久居留|证件(?:号|编号)|passport|permit_?no",
    Meaning.PLATE: r"车牌|号牌|车号|plate|^hphm|^cph",
    Meaning.HOME: r"家庭(?:住|地)址|住址|户籍(?:地|所在)|居住地|现住|家住|常住|home_?addr|residen(?:ce|tial)|domicile",
    Meaning.ADDRESS: r"地址|住所|坐落|位置|addr|location",
    Meaning.BIRTH: r"出生|生日|birth|^csrq|^dob$",
    Meaning.PLACE: r"经度|纬度|坐标|^lon|^lat|longitude|latitude|^lng$|^[xy]$|geometry|^geom|^wkt|coordinate",
    Meaning.HOUSEHOLD: r"户主|住户|农户|户号|户编号|低保|贫困户|脱贫户|家庭|特困|五保|household",
    Meaning.PRIVATE_MAIL: r"个人邮箱|本人邮箱|personal_?e?mail|private_?e?mail",
    Meaning.CODE: (
        r"编号|编码|代码|序号|流水|单号|文号|证号|许可证|案号|批次|批号|条码|标识|验证码|信用|备案|注册号|登记号|设备号|sn$|code|uscc|serial|order|batch|barcode|(?:^|_)(?:no|num|number|id)$"
    ),
    Meaning.SECRECY: r"密级|涉密|secrecy|classification_level",
}
_PATTERNS = {meaning: re.compile(words) for meaning, words in _WORDS.items()}


@dataclass(frozen=True)
class Hint:
    """What a ready schema, the operator's data, says of a column."""

    title: str = ""
    mask: str = ""
    """Its `x-mask`: public_by_law, name_if_natural_person, drop, id_keep_3_4."""
    statutory: bool = False
    """The schema rests on a legal basis and has this field without asking for a mask."""
    natural: str = ""
    """The value of the column `kinds` that means a natural person, where names are masked for those only."""
    kinds: str = ""
    """The name of that column's field."""
    field: str = ""


def hint(said: Mapping[str, Any] | None) -> Hint:
    return Hint(**said) if said else Hint()


def meanings(header: str, hint: Hint | None = None) -> frozenset[Meaning]:
    """All that the words say. A name by an office is no natural person's as such: 联系人姓名."""
    text = _plain(header)
    found = {meaning for meaning, pattern in _PATTERNS.items() if pattern.search(text)}
    if hint is not None and hint.title:
        title = _plain(hint.title)
        found |= {meaning for meaning, pattern in _PATTERNS.items() if pattern.search(title)}
        text += " " + title
    if Meaning.OFFICIAL in found:
        found.discard(Meaning.NAME)
    if found & {Meaning.NAME, Meaning.OFFICIAL, Meaning.PHONE, Meaning.MOBILE, Meaning.ADDRESS, Meaning.HOME}:
        found.discard(Meaning.BODY)
    return frozenset(found)


def _plain(text: str) -> str:
    return re.sub(r"[\s　]", "", unicodedata.normalize("NFKC", text)).lower()


SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛阎雷龙史陶贺毛段郝顾龚邵万覃武"
    "钱戴严莫孔向常汤康易乔赖文施洪季葛樊兰殷翁倪章鲁俞安辛管岳齐尤庞梅祝柳裴耿关焦左包宁尚符舒阮纪柯童凌毕单霍成涂柴车瞿鲍蒲牛聂项庄游司盛骆费靳饶房缪欧路涂甘苗曲景詹申卞耶仇佘储糜华"
)
NAMES = rf"^(?:[{SURNAMES}][\p{{Han}}]{{1,2}}|(?:欧阳|司马|上官|诸葛|司徒|东方|皇甫|尉迟|公孙|慕容|夏侯|端木|令狐|闻人|独孤)[\p{{Han}}]{{1,2}}|[\p{{Han}}]{{2,7}}·[\p{{Han}}·]{{2,9}})$"
"""Shaped like a person's name, for Polars (Python's engine has no `Han`)."""
NOT_NAMES = r"(?:镇|街道|村|乡|区|市|县|路|社区|站|桥|店|校|院|局|园|厂|场|河|湖|港|庄|苑|厅|馆|所|行|社|部|楼|门|塔|寺|庙|街|巷|弄|族|类|品|车|室)$"
