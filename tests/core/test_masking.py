"""What an export must not show, and what it must leave readable."""

from __future__ import annotations

import pytest

from server.core import masking


@pytest.mark.parametrize(
    ("name", "masked"),
    [("张三", "张*"), ("欧阳娜娜", "欧*"), (" 李四 ", "李*"), ("", ""), (None, ""), ("王", "王*")],
)
def test_a_name_keeps_its_first_character_and_not_its_length(name: str, masked: str) -> None:
    assert masking.mask_name(name) == masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13812341234", "138****1234"),
        ("138 1234 1234", "138****1234"),
        ("+86 138-1234-1234", "138****1234"),
        ("13812341234/13987654321", "138****1234/139****4321"),
        ("0371-66123456", "037****3456"),
        ("66123456", "****3456"),
        ("12345", "***"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_phone_number_keeps_its_ends(phone: str, masked: str) -> None:
    assert masking.mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("幸福小区3号楼2单元501室", "幸福小区3号楼2单元***"),
        ("幸福小区3号楼2单元501", "幸福小区3号楼2单元***"),
        ("幸福小区３号楼２单元５０１", "幸福小区3号楼2单元***"),
        ("幸福小区 3-2-501", "幸福小区 3-2-***"),
        ("大学路12号院5号楼1204", "大学路12号院5号楼***"),
        ("大学路12号院5号楼12层1204室", "大学路12号院5号楼12层***"),
        ("康复中街6号院2栋一单元三〇二室", "康复中街6号院2栋一单元***"),
        ("铁三街3号楼2单元东户", "铁三街3号楼2单元***"),
        ("张庄村12号", "张庄村***"),
        ("401室", "***"),
        ("2单元4楼401门口", "2单元4楼***门口"),
    ],
)
def test_an_address_ends_before_the_door(address: str, masked: str) -> None:
    assert masking.mask_address(address) == masked


@pytest.mark.parametrize(
    "address",
    [
        "大学路12号院",
        "大学路12号院5号楼",
        "5号楼2单元",
        "大学路与陇海路交叉口",
        "康复中街6号",
        "2号楼3单元楼道",
    ],
)
def test_an_address_without_a_door_stays_as_it_is(address: str) -> None:
    assert masking.mask_address(address) == address


def test_a_known_door_is_hidden_even_where_nothing_marks_it() -> None:
    assert masking.mask_address("康复中街6号院 A12", ["A12"]) == "康复中街6号院 ***"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("请联系13812341234王师傅", "请联系138****1234王师傅"),
        ("电话138-1234-1234。", "电话138****1234。"),
        ("电话＋８６１３８１２３４１２３４", "电话138****1234"),
        ("打0371-66123456或66123456", "打0371****3456或****3456"),
        ("身份证410103195001011234", "身份证******"),
        ("身份证41010319500101123X", "身份证******"),
        ("身份证410103500101123", "身份证******"),
        ("家住3号楼2单元501，漏水", "家住3号楼2单元***，漏水"),
    ],
)
def test_free_text_loses_its_numbers(text: str, masked: str) -> None:
    assert masking.mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2024年5月1日 9:30 走访，水压 0.2 兆帕，欠费 1234.56 元",
        "20240501 已报修",
        "3户居民反映",
        "共12户数据",
        "网格410103007901002",
        "单号 DXL-2024-000123",
        "",
    ],
)
def test_free_text_keeps_what_is_not_about_a_person(text: str) -> None:
    assert masking.mask_text(text) == text


def test_names_that_are_known_are_masked_in_free_text() -> None:
    text = "张三丰说张三不在家"
    assert masking.mask_text(text, ["张三", "张三丰", None, " "]) == "张*说张*不在家"


def test_a_position_keeps_the_neighbourhood_only() -> None:
    exact = {"lat": 34.754321, "lng": 113.654321, "accuracy": 5.0}
    assert masking.mask_position(exact) == {"lat": 34.754, "lng": 113.654}
    assert masking.mask_position(None) is None


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("2单元101室温只有14度", "2单元***室温只有14度"),
        ("家住101室温只有14度", "家住***室温只有14度"),
        ("1号楼1单元101户主不在家", "1号楼1单元***户主不在家"),
        ("3号楼501房东说漏水", "3号楼***房东说漏水"),
        ("3号楼501室漏水", "3号楼***漏水"),
    ],
)
def test_a_word_that_follows_a_door_stays_whole(text: str, masked: str) -> None:
    assert masking.mask_text(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("1号楼2单元302楼上装修砸墙", "1号楼2单元***楼上装修砸墙"),
        ("1单元101单元整体停电", "1单元***单元整体停电"),
        ("603楼上漏水到503", "***楼上漏水到503"),
        ("三〇二楼下反映", "***楼下反映"),
    ],
)
def test_a_door_is_hidden_before_upstairs_and_the_whole_unit(text: str, masked: str) -> None:
    assert masking.mask_text(text) == masked
    assert masking.mask_address(text) == masked


@pytest.mark.parametrize(
    "text",
    ["2单元3楼上面漏水", "2单元3层", "3号楼2单元整体停电", "嵩山南路101号院", "101号楼下漏水"],
)
def test_floors_units_and_compounds_are_no_doors(text: str) -> None:
    assert masking.mask_text(text) == text
    assert masking.mask_address(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("楼上302装修，302楼下漏水", "楼上***装修，***楼下漏水"),
        ("302说1单元302单元门坏了", "***说1单元***单元门坏了"),
        ("反映 302 漏水", "反映 *** 漏水"),
        ("嵩山南路302号院1号楼302", "嵩山南路302号院1号楼***"),
        ("嵩山南路302号航海花园，302家漏水", "嵩山南路302号航海花园，***家漏水"),
        ("302号楼欠费302元，1302户、3021户", "302号楼欠费302元，1302户、3021户"),
        ("水压0.302兆帕", "水压0.302兆帕"),
    ],
)
@pytest.mark.parametrize("door", ["302", "302室", "３０２"])
def test_a_known_door_is_hidden_wherever_it_stands(text: str, masked: str, door: str) -> None:
    assert masking.mask_text(text, doors=[door]) == masked


def test_a_known_door_is_not_the_number_of_the_compound() -> None:
    address = "嵩山南路101号院1号楼1单元101"
    assert masking.mask_address(address, ["101"]) == "嵩山南路101号院1号楼1单元***"
    assert masking.mask_address("1号楼1单元1", ["1"]) == "1号楼1单元***"
    assert masking.mask_text("12月报修，门牌12号", doors=["12"]) == "12月报修，门牌***号"
