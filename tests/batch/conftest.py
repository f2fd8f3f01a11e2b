from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.errors import LocalError
from local.standins import spark as spark_jars
from tests.batch.batch_support import Lake

ROOT = Path(__file__).parents[2]
SOURCES = [str(ROOT / "jobs")]
sys.path[:0] = [path for path in SOURCES if path not in sys.path]


# xdist reads the groups in the same hook, and before this if the folder is named by the user.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All Spark tests in one worker: one session, two cores."""
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.xdist_group("spark"))


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    try:
        spark_jars.check()
        jars = spark_jars.jars()
    except LocalError as error:
        pytest.skip(str(error))
    from pyspark.sql import SparkSession

    patch = pytest.MonkeyPatch()  # of the environment that Spark's Python workers get
    patch.setenv("PYSPARK_PYTHON", sys.executable)
    patch.setenv("PYTHONPATH", os.pathsep.join([*SOURCES, str(ROOT)]))

    home = tmp_path_factory.mktemp("spark")
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.jars", ",".join(str(jar) for jar in jars if "iceberg-spark" in jar.name))
        .config(
            "spark.sql.extensions",
            "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        )
        .config("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog")
        .config("spark.sql.catalog.lake.type", "hadoop")
        .config("spark.sql.catalog.lake.warehouse", str(home / "warehouse"))
        .config("spark.sql.catalog.lake.cache-enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.default.parallelism", "2")
        .config("spark.driver.memory", "1g")
        .config("spark.driver.extraJavaOptions", spark_jars.JAVA_OPTIONS)
        .config("spark.ui.enabled", "false")
        .config("spark.sql.warehouse.dir", str(home / "unused"))
        .config("spark.local.dir", str(home / "scratch"))
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
    patch.undo()


@pytest.fixture
def lake(spark: Any, tmp_path: Path) -> Lake:
    return Lake(spark, tmp_path)
