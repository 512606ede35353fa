"""Which folders of a crawled target are tables."""

from local.aws.crawler.layout import FoundTable, StoredObject, tables


def found(*keys: str, prefix: str = "raw/", level: int | None = None) -> list[FoundTable]:
    return tables("lake", prefix, [StoredObject(key=key, size=1) for key in keys], level=level)


def test_files_in_the_target_make_it_the_table() -> None:
    (table,) = found("raw/a.csv", "raw/b.csv")
    assert (table.name, table.location, table.partition_keys) == ("raw", "s3://lake/raw/", ())


def test_hive_folders_in_the_target_are_its_partitions() -> None:
    (table,) = found("raw/day=1/a.csv", "raw/day=2/a.csv")
    assert table.name == "raw"
    assert table.partition_keys == ("day",)
    assert list(table.partitions) == [("1",), ("2",)]


def test_other_folders_are_a_table_each() -> None:
    names = [table.name for table in found("raw/reviews/day=1/a.parquet", "raw/Old Orders/a.csv")]
    assert names == ["old_orders", "reviews"]


def test_a_target_without_a_closing_slash_is_a_folder_all_the_same() -> None:
    (table,) = found("raw/reviews/a.csv", prefix="raw/reviews")
    assert (table.name, table.location) == ("reviews", "s3://lake/raw/reviews/")


def test_the_bucket_itself_can_be_the_target() -> None:
    assert [table.name for table in found("reviews/a.csv", "orders/a.csv", prefix="")] == ["orders", "reviews"]


def test_a_level_counts_from_the_bucket() -> None:
    assert [table.name for table in found("raw/a/b/x.csv", "raw/a/c/x.csv", level=4)] == ["b", "c"]
    assert [table.partition_keys for table in found("raw/a/b/x.csv", level=2)] == [("partition_0", "partition_1")]


def test_partition_folders_keep_their_place() -> None:
    (table,) = found("raw/reviews/year=2024/month=01/a.parquet", level=3)
    assert table.partition_keys == ("year", "month")
    assert table.partition_location(("2024", "01")) == "s3://lake/raw/reviews/year=2024/month=01/"


def test_folders_of_different_depth_share_the_shallower_keys() -> None:
    (table,) = found("raw/t/day=1/a.csv", "raw/t/day=2/hour=3/a.csv", level=3)
    assert table.partition_keys == ("day",)
    assert list(table.partitions) == [("1",), ("2",)]


def test_empty_and_hidden_objects_are_no_data() -> None:
    empty = StoredObject(key="raw/empty/", size=0)
    hidden = StoredObject(key="raw/_temporary/a.csv", size=9)
    assert tables("lake", "raw/", [empty, hidden], level=None) == []
