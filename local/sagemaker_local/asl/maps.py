"""A Map state's own parts: how its processor runs, where its items come from, and how they are put together."""

from typing import Any

from sagemaker_local.asl import values
from sagemaker_local.asl.diagnostics import Findings, only_one, required, wrong
from sagemaker_local.asl.fields import check_language, check_values

_DISTRIBUTED = "DISTRIBUTED"
_READERS = ("s3:getObject", "s3:listObjectsV2")
_NUMBERS = ("MaxItems", "MaxItemsPerBatch", "MaxInputBytesPerBatch")


def check_map(state: dict[str, Any], language: str, where: str, *, express: bool) -> Findings:
    """Yield what is wrong with the parts of a Map state, its states apart."""
    for field in ("ItemProcessor", "Iterator"):
        processor = state.get(field)
        config = processor.get("ProcessorConfig") if isinstance(processor, dict) else None
        if config is not None:
            yield from _check_config(config, f"{where}/{field}/ProcessorConfig", express=express)
    for field in ("ItemReader", "ItemBatcher", "ResultWriter"):
        if field in state:
            yield from _check_part(state[field], language, f"{where}/{field}")
    reader = state.get("ItemReader")
    if isinstance(reader, dict):
        yield from _check_reader(reader, language, f"{where}/ItemReader")


def _check_config(config: Any, where: str, *, express: bool) -> Findings:
    if not isinstance(config, dict):
        yield from values.mapping(config, where)
        return
    if "Mode" in config:
        yield from values.one_of("INLINE", _DISTRIBUTED)(config["Mode"], f"{where}/Mode")
    if "ExecutionType" in config:
        yield from values.one_of("STANDARD", "EXPRESS")(config["ExecutionType"], f"{where}/ExecutionType")
    if config.get("Mode") == _DISTRIBUTED:
        yield from required(["ExecutionType"], config, where)
        if express:
            words = f"The field 'Mode' with value '{_DISTRIBUTED}' is not supported inside 'EXPRESS' state machines"
            yield wrong(words, f"{where}/Mode")
    elif "ExecutionType" in config:
        yield wrong("Field 'ExecutionType' is not supported", where)


def _check_part(part: Any, language: str, where: str) -> Findings:
    """Yield what is wrong with the fields that a part shares with states: paths, templates and numbers."""
    if not isinstance(part, dict):
        yield from values.mapping(part, where)
        return
    yield from check_language(part, language, where)
    yield from check_values(part, language, where)
    for name in _NUMBERS:
        pair = [name, f"{name}Path"]
        if all(one in part for one in pair):
            yield from only_one(pair, len(pair), where)


def _check_reader(reader: dict[str, Any], language: str, where: str) -> Findings:
    resource = reader.get("Resource")
    yield from required(["Resource"], reader, where)
    if "Resource" in reader and not (isinstance(resource, str) and resource.endswith(_READERS)):
        yield wrong("The field 'Resource' does not match any of the allowed values", f"{where}/Resource")
    config, place = reader.get("ReaderConfig"), f"{where}/ReaderConfig"
    if config is None:
        return
    yield from _check_part(config, language, place)
    if isinstance(config, dict):
        yield from _check_headers(config, place)


def _check_headers(config: dict[str, Any], where: str) -> Findings:
    """Yield what is wrong with where the names of columns come from: CSV has them, JSON has none."""
    kind = config.get("InputType")
    if kind == "CSV" and "CSVHeaderLocation" not in config:
        yield wrong("The field 'CSVHeaderLocation' is required", where)
    if kind == "JSON" and "CSVHeaderLocation" in config:
        yield wrong("Field 'CSVHeaderLocation' is not supported", f"{where}/CSVHeaderLocation")
    if config.get("CSVHeaderLocation") == "GIVEN":
        yield from required(["CSVHeaders"], config, where)
