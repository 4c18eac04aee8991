"""`honeycomb-api` from PyPI, unmodified but for its base URL: a client whose models are made from the vendor's OpenAPI
document, so that a reply without a field the vendor promises does not parse."""

import pytest
from conftest import Server, make_key
from honeycomb import HoneycombClient
from honeycomb.exceptions import HoneycombAuthError, HoneycombForbiddenError, HoneycombNotFoundError
from honeycomb.models.api_keys import ApiKeyCreate
from honeycomb.models.boards import BoardCreate, BoardViewCreate
from honeycomb.models.columns import ColumnCreate
from honeycomb.models.datasets import DatasetCreate, DatasetUpdate
from honeycomb.models.derived_columns import DerivedColumnCreate
from honeycomb.models.environments import EnvironmentCreate, EnvironmentUpdate
from honeycomb.models.events import BatchEvent
from honeycomb.models.markers import MarkerCreate, MarkerSettingCreate
from honeycomb.models.queries import QuerySpec
from honeycomb.models.query_annotations import QueryAnnotationCreate

SHOP = [{"route": f"/{number % 3}", "duration_ms": float(number), "ok": number % 4 != 0} for number in range(60)]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("honeycomb-api"), "--auth", "required")
    yield running
    running.stop()


def client(server, key):
    return HoneycombClient(api_key=key, base_url=server.url(""), sync=True, max_retries=0)


@pytest.fixture(scope="module")
def api(server):
    with client(server, make_key(server, "production", "configuration")) as ours:
        ours.events.send_batch("Shop", [BatchEvent(data=event) for event in SHOP])
        yield ours


@pytest.fixture(scope="module")
def team(server):
    identifier, secret = make_key(server, "production", "management").split(":")
    with HoneycombClient(management_key=identifier, management_secret=secret, base_url=server.url(""),
                         sync=True, max_retries=0) as ours:
        yield ours


def test_who_a_key_is(api, team):
    v1 = api.auth.get()
    assert (v1.environment.slug, v1.api_key_access.events, v1.api_key_access.boards) == ("production", True, True)
    v2 = team.auth.get()
    assert v2.data.attributes.key_type.value == "management" and v2.included[0].attributes["slug"] == v1.team.slug


def test_datasets(api):
    made = api.datasets.create(DatasetCreate(name="Back Office", description="orders", expand_json_depth=2))
    assert (made.slug, made.expand_json_depth) == ("back-office", 2)
    changed = api.datasets.update("back-office", DatasetUpdate(description="returns", expand_json_depth=3))
    assert (changed.description, changed.expand_json_depth) == ("returns", 3)
    assert {"shop", "back-office"} <= {dataset.slug for dataset in api.datasets.list()}
    assert api.datasets.set_delete_protected("back-office", False).settings.delete_protected is False
    api.datasets.delete("back-office")
    with pytest.raises(HoneycombNotFoundError):
        api.datasets.get("back-office")


def test_columns_and_calculated_fields(api):
    types = {column.key_name: column.type.value for column in api.columns.list("shop")}
    assert types["duration_ms"] == "float" and types["ok"] == "boolean" and types["route"] == "string"
    made = api.columns.create("shop", ColumnCreate(key_name="region", type="string", description="where"))
    assert api.columns.get("shop", made.id).description == "where"
    changed = api.columns.update("shop", made.id, ColumnCreate(key_name="region", type="string", hidden=True))
    assert changed.hidden is True
    api.columns.delete("shop", made.id)

    slow = DerivedColumnCreate(alias="is_slow", expression="GTE($duration_ms, 30)")
    field = api.derived_columns.create("shop", slow)
    assert api.derived_columns.get("shop", field.id).expression == slow.expression
    slow.description = "half of them"
    assert api.derived_columns.update("shop", field.id, slow).description == "half of them"
    spec = QuerySpec.builder().last_1_hour().count().group_by("is_slow").build()
    _, found = api.query_results.create_and_run(spec, dataset="shop", poll_interval=0.05)
    assert {row["is_slow"]: row["COUNT"] for row in found.data.rows} == {True: 30, False: 30}
    api.derived_columns.delete("shop", field.id)


def test_a_question_its_name_and_its_answer(api):
    spec = (QuerySpec.builder().last_1_hour().p99("duration_ms").count().gte("duration_ms", 3)
            .group_by("route").order_by("COUNT").build())
    query, found = api.query_results.create_and_run(spec, dataset="shop", poll_interval=0.05, limit=2)
    assert [row["COUNT"] for row in found.data.rows] == [19, 19] and found.links.query_url
    note = api.query_annotations.create("shop", QueryAnnotationCreate(name="routes", query_id=query.id))
    assert api.query_annotations.get("shop", note.id).name == "routes"
    note = api.query_annotations.update(
        "shop", note.id, QueryAnnotationCreate(name="busy routes", query_id=query.id, description="by count"))
    assert [(one.name, one.description) for one in api.query_annotations.list("shop")] == [("busy routes", "by count")]

    panel = {"type": "query", "position": {"x_coordinate": 0, "y_coordinate": 0, "width": 6, "height": 4},
             "query_panel": {"query_id": query.id, "query_annotation_id": note.id, "query_style": "combo"}}
    text = {"type": "text", "text_panel": {"content": "# Shop"}}
    board = api.boards.create(BoardCreate.model_validate({
        "name": "Shop", "type": "flexible", "panels": [panel, text], "layout_generation": "auto",
        "tags": [{"key": "team", "value": "blue"}], "preset_filters": [{"column": "route", "alias": "Route"}]}))
    assert board.links.board_url and [one.type for one in board.panels] == ["query", "text"]
    again = api.boards.get(board.id)
    assert again == board and board.id in [one.id for one in api.boards.list()]
    view = api.boards.create_view(board.id, BoardViewCreate.model_validate(
        {"name": "root", "filters": [{"column": "route", "operation": "=", "value": "/0"},
                                     {"column": "ok", "operation": "exists"}]}))
    assert api.boards.get_view(board.id, view.id).filters[0].value == "/0"
    view = api.boards.update_view(board.id, view.id, BoardViewCreate.model_validate(
        {"name": "not root", "filters": [{"column": "route", "operation": "!=", "value": "/0"}]}))
    assert [one.name for one in api.boards.list_views(board.id)] == ["not root"]
    api.boards.delete_view(board.id, view.id)
    board.name = "The shop"
    assert api.boards.update(board.id, BoardCreate.model_validate(board.model_dump(mode="json"))).name == "The shop"
    api.boards.delete(board.id)
    api.query_annotations.delete("shop", note.id)


def test_markers_and_their_colours(api):
    setting = api.markers.create_setting("shop", MarkerSettingCreate(type="deploy", color="#7b1fa2"))
    marker = api.markers.create("shop", MarkerCreate(message="v2", type="deploy", start_time=1_700_000_000))
    assert api.markers.list("shop") == [marker] and marker.color == "#7b1fa2"
    marker = api.markers.update("shop", marker.id, MarkerCreate(message="v2.1", type="deploy", end_time=1_700_000_060))
    assert (marker.message, marker.end_time) == ("v2.1", 1_700_000_060)
    changed = api.markers.update_setting("shop", setting.id, MarkerSettingCreate(type="deploy", color="#00ff00"))
    assert api.markers.get_setting("shop", setting.id).color == changed.color == "#00ff00"
    api.markers.delete("shop", marker.id)
    api.markers.delete_setting("shop", setting.id)
    assert api.markers.list("shop") == [] and api.markers.list_settings("shop") == []


def test_the_teams_environments_and_keys(server, team):
    made = team.environments.create(EnvironmentCreate.model_validate(
        {"data": {"type": "environments", "attributes": {"name": "Canary", "color": "lightBlue"}}}))
    assert (made.slug, made.delete_protected) == ("canary", True)
    assert team.environments.get(made.id) == made
    key = team.api_keys.create(ApiKeyCreate.model_validate({"data": {
        "type": "api-keys",
        "relationships": {"environment": {"data": {"type": "environments", "id": made.id}}},
        "attributes": {"key_type": "configuration", "name": "canary", "permissions": {
            "create_datasets": True, "send_events": True, "run_queries": True}}}}))
    assert key.relationships.environment.data.id == made.id
    with client(server, key.attributes.secret) as canary:
        assert canary.datasets.create(DatasetCreate(name="one")).slug == "one"
        assert [dataset.slug for dataset in canary.datasets.list()] == ["one"]
        with pytest.raises(HoneycombForbiddenError):
            canary.boards.list()
    assert key.id in [one.id for one in team.api_keys.list(key_type="configuration")]
    team.api_keys.delete(key.id)
    with client(server, key.attributes.secret) as canary, pytest.raises(HoneycombAuthError):
        canary.datasets.list()
    team.environments.update(made.id, EnvironmentUpdate.model_validate(
        {"data": {"id": made.id, "type": "environments", "attributes": {"settings": {"delete_protected": False}}}}))
    team.environments.delete(made.id)
    with pytest.raises(HoneycombNotFoundError):
        team.environments.get(made.id)


def test_a_key_that_may_not(server, api):
    ingest = make_key(server, "production", "ingest")
    with client(server, ingest) as theirs:
        for read in (theirs.datasets.list, theirs.boards.list, lambda: theirs.markers.list("shop")):
            with pytest.raises((HoneycombForbiddenError, HoneycombAuthError)):
                read()
