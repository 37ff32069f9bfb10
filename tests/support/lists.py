"""Files as bodies really publish them: invented rows in the shape of real lists. `CLEAN` must not be stopped; `DIRTY` must
be, by the named rule in the named column."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

ROWS = 60
_DRAW = Random(20261125)
SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周徐孙", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英"
AREAS = ("崇川区", "通州区", "海门区", "如东县", "启东市", "如皋市", "海安市")
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def person() -> str:
    return _DRAW.choice(SURNAMES) + "".join(_DRAW.choices(GIVEN, k=_DRAW.choice((1, 2))))


def mobile() -> str:
    return "1" + _DRAW.choice("3456789") + digits(9)


def line() -> str:
    return "0513-8" + digits(7)


def digits(count: int) -> str:
    return "".join(_DRAW.choices("0123456789", k=count))


def uscc() -> str:
    body = "9132060" + "0MA" + "".join(_DRAW.choices(ALPHABET, k=7))
    weights = [3**place % 31 for place in range(17)]
    total = sum(ALPHABET.index(char) * weight for char, weight in zip(body, weights, strict=True))
    return body + ALPHABET[(31 - total) % 31]


def resident() -> str:
    body = f"3206{_DRAW.choice(('02', '12', '84'))}{_DRAW.randint(1940, 2015)}{_DRAW.randint(1, 12):02d}{_DRAW.randint(1, 28):02d}{digits(3)}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]


def card() -> str:
    body = "62220213" + digits(10)
    total = sum(
        sum(divmod(int(d) * (2 if place % 2 == 0 else 1), 10)) for place, d in enumerate(reversed(body))
    )
    return body + str(-total % 10)


def firm() -> str:
    return f"南通{''.join(_DRAW.choices('华盛兴隆恒通达源', k=2))}{_DRAW.choice(('食品', '商贸', '建设', '科技'))}有限公司"


def street() -> str:
    return f"南通市{_DRAW.choice(AREAS)}{_DRAW.choice(('人民路', '解放街', '青年西路'))}{_DRAW.randint(1, 400)}号"


def home() -> str:
    return f"{street()}{_DRAW.randint(1, 30)}幢{_DRAW.randint(101, 1804)}室"


def place(decimals: int = 6) -> tuple[str, str]:
    return f"120.{digits(decimals)}", f"31.{digits(decimals)}"


def day() -> str:
    return f"202{_DRAW.randint(0, 6)}-{_DRAW.randint(1, 12):02d}-{_DRAW.randint(1, 28):02d}"


def table(header: str, row: object, rows: int = ROWS) -> bytes:
    made = [header, *(",".join(map(str, row(n))) for n in range(1, rows + 1))]  # type: ignore[operator]
    return ("\n".join(made) + "\n").encode()


def clean() -> Iterator[tuple[str, bytes]]:
    """(what it is, CSV): lists that go out as they are."""
    yield (
        "医疗机构名录",
        table(
            "机构名称,统一社会信用代码,法定代表人,主要负责人,地址,联系电话",
            lambda n: (
                f"{person()}诊所",
                uscc(),
                person(),
                person(),
                street(),
                _DRAW.choice((mobile(), line())),
            ),
        ),
    )
    yield (
        "公交站点",
        table("线路编号,站序,站点名称,经度,纬度", lambda n: (f"L{n % 9}", n, f"人民路{n}站", *place())),
    )
    yield (
        "食品经营许可",
        table(
            "许可证编号,经营者名称,社会信用代码,法定代表人（负责人）,经营场所,主体业态,发证日期",
            lambda n: (f"JY132060{digits(8)}", firm(), uscc(), person(), street(), "食品销售经营者", day()),
        ),
    )
    yield (
        "行政处罚（法人）",
        table(
            "行政处罚决定书文号,行政相对人名称,统一社会信用代码,法定代表人,违法事实,罚款金额,处罚日期,处罚机关",
            lambda n: (
                f"通市监罚〔2026〕{n}号",
                firm(),
                uscc(),
                person(),
                "经营标签不合格的食品",
                n / 10,
                day(),
                "南通市市场监督管理局",
            ),
        ),
    )
    yield (
        "行政许可",
        table(
            "许可文书号,行政相对人名称,统一社会信用代码,许可内容,许可编号,有效期至",
            lambda n: (f"苏许2026{n:05d}", firm(), uscc(), "道路货物运输", digits(12), day()),
        ),
    )
    yield (
        "学校名录",
        table(
            "学校代码,学校名称,办学类型,校长,学校地址,办公电话,在校生数",
            lambda n: (f"32{digits(8)}", f"南通市第{n}中学", "初级中学", person(), street(), line(), n * 30),
        ),
    )
    yield (
        "热线统计",
        table(
            "月份,区划代码,诉求类别,工单量,按时办结率,满意率",
            lambda n: (f"2026-{n % 12 + 1:02d}", 320613, "噪声扰民", n * 17, 99.1, 97.5),
        ),
    )
    yield (
        "养老机构",
        table(
            "机构名称,法人登记号,负责人,床位数,联系电话,地址,经度,纬度",
            lambda n: (f"安秋养老院{n}", uscc(), person(), n, mobile(), street(), *place()),
        ),
    )
    yield (
        "公共厕所",
        table(
            "编号,名称,位置,管理单位,管理员,监督电话,经度,纬度",
            lambda n: (f"WC{n:04d}", f"{street()}公厕", street(), "环卫处", person(), mobile(), *place()),
        ),
    )
    yield (
        "药店",
        table(
            "药店名称,地址,医保编码,咨询电话,营业时间",
            lambda n: (f"百姓大药房{n}店", street(), f"P3206{digits(7)}", mobile(), "8:00-21:00"),
        ),
    )
    yield (
        "工商登记",
        table(
            "统一社会信用代码,注册号,企业名称,法定代表人,住所,注册资本,成立日期,邮箱",
            lambda n: (
                uscc(),
                f"3206{digits(11)}",
                firm(),
                person(),
                street() + f"{n}室",
                100,
                day(),
                f"nt{n}@163.com",
            ),
        ),
    )
    yield (
        "订单与流水",
        table(
            "订单号,流水号,金额,创建时间戳", lambda n: (f"2026{digits(14)}", digits(18), n, f"17{digits(11)}")
        ),
    )
    yield (
        "项目编号",
        table(
            "项目代码,项目名称,建设单位,总投资",
            lambda n: (f"3206022026{n % 12 + 1:02d}{n % 28 + 1:02d}{n:04d}", f"道路改造{n}", firm(), n * 100),
        ),
    )
    yield (
        "食品抽检",
        table(
            "抽样编号,食品名称,生产企业,生产企业地址,规格,生产日期,结论",
            lambda n: (f"E{digits(8)}", "大米", firm(), street(), "5kg", day(), "合格"),
        ),
    )
    yield (
        "空气质量",
        table("日期,站点名称,AQI,PM2.5,经度,纬度", lambda n: (day(), "城中", n, n / 2, *place(8))),
    )
    yield (
        "地表水",
        table(
            "断面编码,断面名称,月份,水质类别,溶解氧",
            lambda n: (f"JS{digits(6)}", f"九圩港桥{n}", "2026-08", "Ⅱ", 8.1),
        ),
    )
    yield (
        "统计年鉴",
        table(
            "年份,地区,常住人口,户籍人口,GDP", lambda n: (1960 + n, "南通市", digits(7), digits(7), digits(9))
        ),
    )
    yield (
        "预算",
        table(
            "科目编码,科目名称,预算数,决算数",
            lambda n: (f"2{digits(6)}", "一般公共服务支出", digits(6), digits(6)),
        ),
    )
    yield (
        "公交车辆",
        table(
            "线路,车牌号,所属公司,车型",
            lambda n: (f"{n}路", f"苏F{digits(4)}D", "南通公交集团有限公司", "纯电动"),
        ),
    )
    yield "出租汽车企业", table("企业名称,车辆数,服务热线,投诉电话", lambda n: (firm(), n, line(), mobile()))
    yield (
        "楼盘预售",
        table(
            "预售许可证号,项目名称,开发企业,坐落,套数",
            lambda n: (f"通房预字2026{n:03d}", f"紫琅花园{n}期", firm(), street() + f"{n}幢", n),
        ),
    )
    yield (
        "政务服务事项",
        table(
            "实施编码,事项名称,实施主体,办理地点,咨询电话,备注",
            lambda n: (
                f"11320600MB{digits(20)}",
                "居民身份证换领",
                "公安局",
                street() + "3号楼201室",
                line(),
                "携带身份证原件，机密级事项除外",
            ),
        ),
    )
    yield (
        "河长名单",
        table("河道名称,河长姓名,职务,联系电话", lambda n: (f"通吕运河{n}段", person(), "镇长", mobile())),
    )
    yield (
        "律师事务所",
        table(
            "事务所名称,负责人,执业许可证号,地址,电话,电子邮箱",
            lambda n: (
                f"江苏{n}律师事务所",
                person(),
                f"3132060{digits(10)}",
                street() + f"{n}楼",
                line(),
                f"law{n}@qq.com",
            ),
        ),
    )
    yield (
        "危险化学品企业",
        table(
            "企业名称,许可证编号,地址,许可范围",
            lambda n: (firm(), f"苏F安许证{digits(6)}", street(), "内部装修材料、溶剂"),
        ),
    )
    yield (
        "图书目录",
        table(
            "ISBN,书名,作者,出版社,定价",
            lambda n: (f"978{digits(10)}", f"江海文化{n}", person(), "南通出版社", 30),
        ),
    )
    yield (
        "路灯设施",
        table(
            "设施编号,IMEI,安装地址,经度,纬度",
            lambda n: (f"LD{n:05d}", f"86{digits(13)}", street(), *place(7)),
        ),
    )
    yield (
        "村委会通讯",
        table(
            "镇街,村委会名称,办公地址,值班电话", lambda n: ("金沙街道", f"新三园村{n}", street(), mobile())
        ),
    )


def dirty() -> Iterator[tuple[str, bytes, str, str]]:
    """(what it is, CSV, column, rule): lists that must not go out so."""
    yield (
        "低保名单",
        table("姓名,身份证号,家庭住址,保障金额", lambda n: (person(), resident(), home(), 700)),
        "身份证号",
        "resident_id",
    )
    yield (
        "低保名单住址",
        table("户主,家庭住址,保障人口", lambda n: (person(), home(), 2)),
        "家庭住址",
        "address",
    )
    yield "补贴发放", table("姓名,银行卡号,金额", lambda n: (person(), card(), 300)), "银行卡号", "bank_card"
    yield "报名表", table("姓名,性别,手机号", lambda n: (person(), "男", mobile())), "手机号", "mobile"
    yield "无题头的号码", table("a,b", lambda n: (n, resident())), "b", "resident_id"
    yield (
        "备注里的身份证",
        table("编号,备注", lambda n: (n, f"申请人{person()} {resident()}已受理")),
        "备注",
        "resident_id",
    )
    yield (
        "信用代码列里的自然人",
        table("统一社会信用代码,名称", lambda n: (resident() if n % 5 == 0 else uscc(), firm())),
        "统一社会信用代码",
        "resident_id",
    )
    yield (
        "违法车辆",
        table("号牌号码,违法时间,违法行为", lambda n: (f"苏F{digits(5)}", day(), "不按规定停车")),
        "号牌号码",
        "plate",
    )
    yield "出入境", table("姓名,护照号码", lambda n: (person(), f"E{digits(8)}")), "护照号码", "passport"
    yield (
        "港澳通行证",
        table("姓名,通行证号码", lambda n: (person(), f"H{digits(8)}")),
        "通行证号码",
        "permit",
    )
    yield (
        "考生",
        table("姓名,出生日期,准考证", lambda n: (person(), f"2008-0{n % 9 + 1}-11", n)),
        "出生日期",
        "birth_date",
    )
    yield "农户坐标", table("户主,经度,纬度", lambda n: (person(), *place())), "经度", "home_place"
    yield (
        "密级列",
        table("文号,标题,密级", lambda n: (n, "关于某事的通知", "秘密★10年" if n == 7 else "")),
        "密级",
        "secrecy_mark",
    )
    yield (
        "配置",
        table("名称,值", lambda n: (n, "postgres://admin:Secret99@10.0.0.3/db" if n == 3 else "x")),
        "值",
        "credential",
    )
    yield (
        "旧身份证",
        table("姓名,证件号码", lambda n: (person(), f"320602{50 + n % 40}0{n % 9 + 1}12{digits(3)}")),
        "证件号码",
        "old_resident_id",
    )
    yield "个人邮箱", table("姓名,邮箱", lambda n: (person(), f"{digits(8)}@qq.com")), "邮箱", "email"
