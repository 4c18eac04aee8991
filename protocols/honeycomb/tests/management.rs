//! The management endpoints: the life of each resource with its exact status codes, and what another key sees of it.

mod support;

use serde_json::{Value, json};
use support::Bench;
use tracery_honeycomb::Options;
use tracery_intake::AuthMode;
use tracery_settings::KeyKind;

#[tokio::test]
async fn auth_says_what_the_key_is() {
    let bench = Bench::new(AuthMode::Required).await;
    let auth = bench.expect(200, "GET", "/1/auth", Value::Null).await;
    assert_eq!(auth["type"], "configuration");
    assert_eq!(auth["environment"], json!({"name": "prod", "slug": "prod"}));
    assert_eq!(auth["api_key_access"]["createDatasets"], true);
    assert_eq!(auth["api_key_access"]["create_datasets"], true);
    assert_eq!(auth["api_key_access"]["slos"], false);
    let ingest = bench.key("prod", KeyKind::Ingest, &["send_events"]).await;
    let auth = bench.call_as(&ingest, "GET", "/1/auth", Value::Null).await.json();
    assert_eq!(
        (auth["type"].as_str(), auth["api_key_access"]["createDatasets"].as_bool()),
        (Some("ingest"), Some(false))
    );
    assert_eq!(bench.call_as(&ingest, "GET", "/1/datasets", Value::Null).await.status, 403);
    let reply = bench.call_as("nonsense", "GET", "/1/auth", Value::Null).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.json()["error"], "unknown API key - check your credentials");
    assert_eq!(bench.send("GET", "/x/alive", &[], vec![]).await.status, 200);
}

#[tokio::test]
async fn a_dataset_is_made_once_and_deleted_only_unprotected() {
    let bench = Bench::new(AuthMode::Required).await;
    let made = bench
        .expect(
            201,
            "POST",
            "/1/datasets",
            json!({"name": "Web App", "description": "d", "expand_json_depth": 2}),
        )
        .await;
    assert_eq!(made["slug"], "web-app");
    assert_eq!(made["settings"]["delete_protected"], true);
    assert_eq!(made["created_at"], "2023-11-14T22:13:20Z");
    assert_eq!((&made["last_written_at"], &made["regular_columns_count"]), (&Value::Null, &json!(1)));
    let again = bench.expect(200, "POST", "/1/datasets", json!({"name": "WEB APP"})).await;
    assert_eq!(again["name"], "Web App");
    assert_eq!(bench.expect(200, "GET", "/1/datasets", Value::Null).await.as_array().unwrap().len(), 1);
    bench.expect(409, "DELETE", "/1/datasets/web-app", Value::Null).await;
    let body = json!({"description": "new", "settings": {"delete_protected": false}});
    let changed = bench.expect(200, "PUT", "/1/datasets/web-app", body).await;
    assert_eq!(
        (changed["description"].as_str(), changed["expand_json_depth"].as_i64()),
        (Some("new"), Some(2))
    );
    for bad in [json!({"name": 5}), json!({"name": ""}), json!({"name": "x", "expand_json_depth": 11})] {
        let problem = bench.expect(422, "POST", "/1/datasets", bad).await;
        assert!(problem["type_detail"][0]["field"].is_string(), "{problem}");
    }
    bench.expect(202, "DELETE", "/1/datasets/web-app", Value::Null).await;
    bench.expect(404, "GET", "/1/datasets/web-app", Value::Null).await;
}

#[tokio::test]
async fn columns_come_from_events_and_from_people() {
    let bench = Bench::new(AuthMode::Required).await;
    bench.expect(201, "POST", "/1/datasets", json!({"name": "Web App"})).await;
    let seen = bench.expect(200, "GET", "/1/columns/web-app?key_name=duration_ms", Value::Null).await;
    assert_eq!(
        (seen["type"].as_str(), seen["last_written"].as_str()),
        (Some("float"), Some("1970-01-01T00:00:01Z"))
    );
    bench.expect(409, "POST", "/1/columns/web-app", json!({"key_name": "duration_ms"})).await;
    let made =
        bench.expect(201, "POST", "/1/columns/web-app", json!({"key_name": "k", "type": "integer"})).await;
    let path = format!("/1/columns/web-app/{}", made["id"].as_str().unwrap());
    bench.expect(422, "PUT", &path, json!({"type": "list"})).await;
    let changed = bench.expect(200, "PUT", &path, json!({"hidden": true, "description": "d"})).await;
    assert_eq!((&changed["hidden"], &changed["type"]), (&json!(true), &json!("integer")));
    assert_eq!(bench.expect(200, "GET", &path, Value::Null).await["description"], "d");
    assert_eq!(
        bench.expect(200, "GET", "/1/columns/web-app", Value::Null).await.as_array().unwrap().len(),
        2
    );
    bench.expect(204, "DELETE", &path, Value::Null).await;
    bench.expect(404, "GET", &path, Value::Null).await;
    let path = format!("/1/columns/web-app/{}", seen["id"].as_str().unwrap());
    bench.expect(204, "DELETE", &path, Value::Null).await;
    assert_eq!(bench.expect(200, "GET", "/1/columns/web-app", Value::Null).await, json!([]));
    bench.expect(404, "GET", "/1/columns/nowhere", Value::Null).await;
}

#[tokio::test]
async fn calculated_fields_and_definitions() {
    let bench = Bench::new(AuthMode::Required).await;
    bench.expect(201, "POST", "/1/datasets", json!({"name": "Web App"})).await;
    for scope in ["web-app", "__all__"] {
        let body = json!({"alias": "slow", "expression": "GT($duration_ms, 1)"});
        let path = format!("/1/derived_columns/{scope}");
        let made = bench.expect(201, "POST", &path, body.clone()).await;
        let problem = bench.expect(409, "POST", &path, body.clone()).await;
        assert_eq!(problem["type"], "https://api.honeycomb.io/problems/conflict");
        let found = bench.expect(200, "GET", &format!("{path}?alias=slow"), Value::Null).await;
        assert_eq!(found["id"], made["id"]);
        bench.expect(404, "GET", &format!("{path}?alias=none"), Value::Null).await;
        let problem = bench.expect(422, "POST", &path, json!({"alias": "x", "expression": ""})).await;
        assert_eq!(problem["type_detail"][0]["description"], "empty expression");
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        let changed = bench.expect(200, "PUT", &one, json!({"alias": "slower", "expression": "1"})).await;
        assert_eq!(changed["alias"], "slower");
    }
    let path = "/1/dataset_definitions/web-app";
    let roles = bench.expect(200, "GET", path, Value::Null).await;
    assert_eq!(roles.as_object().unwrap().len(), 16);
    assert_eq!(roles["duration_ms"], json!({"name": "duration_ms", "column_type": "column"}));
    assert_eq!(roles["error"], Value::Null);
    let roles = bench.expect(200, "PATCH", path, json!({"error": {"name": "slower"}})).await;
    assert_eq!(roles["error"]["column_type"], "derived_column");
    let roles = bench.expect(200, "PATCH", path, json!({"error": {"name": ""}})).await;
    assert_eq!(roles["error"], Value::Null);
    bench.expect(422, "PATCH", path, json!({"error": {"name": "absent"}})).await;
    bench.expect(422, "PATCH", path, json!({"colour": {"name": "duration_ms"}})).await;
    let found = bench.expect(200, "GET", "/1/derived_columns/__all__?alias=slower", Value::Null).await;
    let one = format!("/1/derived_columns/__all__/{}", found["id"].as_str().unwrap());
    bench.expect(204, "DELETE", &one, Value::Null).await;
    bench.expect(404, "DELETE", &one, Value::Null).await;
}

async fn poll(bench: &Bench, path: &str) -> Value {
    loop {
        let reply = bench.call("GET", path, Value::Null).await;
        assert_eq!(reply.status, 200);
        if reply.json()["complete"] == true {
            assert!(
                reply.headers.contains_key("cache-control") && reply.headers.contains_key("last-modified")
            );
            return reply.json();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_query_is_stored_run_and_polled() {
    let bench = Bench::new(AuthMode::Required).await;
    bench.expect(201, "POST", "/1/datasets", json!({"name": "Web App"})).await;
    let query = bench.expect(200, "POST", "/1/queries/web-app", json!({})).await;
    assert_eq!(query["calculations"], json!([{"op": "COUNT"}]));
    let id = query["id"].as_str().unwrap();
    assert_eq!(bench.expect(200, "POST", "/1/queries/web-app", json!({})).await["id"], query["id"]);
    assert_eq!(bench.expect(200, "GET", &format!("/1/queries/web-app/{id}"), Value::Null).await, query);
    let problem = bench.expect(422, "POST", "/1/queries/web-app", json!({"unknown": 1})).await;
    assert_eq!(problem["error"], "unknown: unknown key");

    let reply = bench.call("POST", "/1/query_results/web-app", json!({"query_id": id})).await;
    assert_eq!(reply.status, 201);
    let path = reply.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(reply.json()["complete"], false);
    assert_eq!(reply.json()["query"], query);
    let result = poll(&bench, &path).await;
    assert_eq!(result["data"]["results"], json!([{"data": {"COUNT": 3, "dataset": "Web App"}}]));
    assert_eq!(result["data"]["series"], json!([]));
    for link in ["query_url", "graph_image_url"] {
        assert!(result["links"][link].as_str().unwrap().starts_with("http://"));
    }
    let bad = bench.expect(200, "POST", "/1/queries/__all__", json!({"fail": 1})).await;
    let made = bench.expect(201, "POST", "/1/query_results/__all__", json!({"query_id": bad["id"]})).await;
    let result = poll(&bench, &format!("/1/query_results/__all__/{}", made["id"].as_str().unwrap())).await;
    assert_eq!(result["error"], "column x does not exist");
    assert_eq!(result.get("data"), None);
    bench.expect(404, "POST", "/1/query_results/web-app", json!({"query_id": bad["id"]})).await;
    bench.expect(422, "POST", "/1/query_results/web-app", json!({})).await;
    bench.expect(422, "POST", "/1/query_results/web-app", json!({"query_id": id, "limit": 1_001})).await;

    let body = json!({"name": "n", "query_id": id});
    let made = bench.expect(201, "POST", "/1/query_annotations/web-app", body).await;
    assert_eq!(made["source"], "query");
    let one = format!("/1/query_annotations/web-app/{}", made["id"].as_str().unwrap());
    let body = json!({"name": "m", "query_id": id, "source": "board"});
    assert_eq!(bench.expect(200, "PUT", &one, body).await["name"], "m");
    let list = "/1/query_annotations/web-app";
    assert_eq!(bench.expect(200, "GET", list, Value::Null).await, json!([]));
    let all = bench.expect(200, "GET", &format!("{list}?include_board_annotations=true"), Value::Null).await;
    assert_eq!(all.as_array().unwrap().len(), 1);
    bench.expect(422, "POST", list, json!({"name": "n", "query_id": "none"})).await;
    bench.expect(204, "DELETE", &one, Value::Null).await;
}

#[tokio::test]
async fn boards_and_markers_live_and_die() {
    let bench = Bench::new(AuthMode::Required).await;
    let query = bench.expect(200, "POST", "/1/queries/__all__", json!({})).await;
    let board = json!({"name": "b", "type": "flexible", "panels": [
        {"type": "query", "query_panel": {"query_id": query["id"], "query_style": "graph"}},
        {"type": "text", "text_panel": {"content": "# hi"}}]});
    let made = bench.expect(201, "POST", "/1/boards", board.clone()).await;
    assert_eq!(made["panels"], board["panels"]);
    assert!(made["links"]["board_url"].is_string());
    for bad in [
        json!({}),
        json!({"name": "b", "type": "visual"}),
        json!({"name": "b", "panels": [{"type": "query", "query_panel": {"query_id": "none"}}]}),
        json!({"name": "b", "panels": [{"type": "text", "text_panel": {"content": "x".repeat(10_001)}}]}),
        json!({"name": "b", "preset_filters": [1, 2, 3, 4, 5, 6]}),
    ] {
        bench.expect(422, "POST", "/1/boards", bad).await;
    }
    let one = format!("/1/boards/{}", made["id"].as_str().unwrap());
    assert_eq!(bench.expect(200, "PUT", &one, json!({"name": "c"})).await["name"], "c");
    let views = format!("{one}/views");
    let filters = json!([{"column": "a", "operation": "=", "value": 1}]);
    let view = bench.expect(201, "POST", &views, json!({"name": "v", "filters": filters})).await;
    let one_view = format!("{views}/{}", view["id"].as_str().unwrap());
    assert_eq!(bench.expect(200, "PUT", &one_view, json!({"name": "w"})).await["name"], "w");
    assert_eq!(bench.expect(200, "GET", &views, Value::Null).await.as_array().unwrap().len(), 1);
    bench.expect(204, "DELETE", &one_view, Value::Null).await;
    bench.expect(204, "DELETE", &one, Value::Null).await;
    bench.expect(404, "GET", &one, Value::Null).await;

    let setting = json!({"type": "deploy", "color": "#7b1fa2"});
    let made = bench.expect(201, "POST", "/1/marker_settings/__all__", setting.clone()).await;
    bench.expect(409, "POST", "/1/marker_settings/__all__", setting).await;
    bench.expect(422, "POST", "/1/marker_settings/__all__", json!({"type": "x", "color": "red"})).await;
    let one_setting = format!("/1/marker_settings/__all__/{}", made["id"].as_str().unwrap());
    bench.expect(422, "PUT", &one_setting, json!({"type": "other", "color": "#000000"})).await;
    let body = json!({"type": "deploy", "message": "v1", "url": "http://x"});
    let marker = bench.expect(201, "POST", "/1/markers/__all__", body).await;
    assert_eq!((&marker["start_time"], &marker["color"]), (&json!(1_700_000_000), &json!("#7b1fa2")));
    let one = format!("/1/markers/__all__/{}", marker["id"].as_str().unwrap());
    bench.expect(422, "PUT", &one, json!({"end_time": 5})).await;
    assert_eq!(bench.expect(200, "PUT", &one, json!({"end_time": 1_700_000_010})).await["message"], "v1");
    assert_eq!(bench.expect(200, "DELETE", &one, Value::Null).await["id"], marker["id"]);
    bench.expect(404, "DELETE", &one, Value::Null).await;
    bench.expect(204, "DELETE", &one_setting, Value::Null).await;
}

#[tokio::test]
async fn the_team_api_speaks_json_api() {
    let bench = Bench::new(AuthMode::Required).await;
    let manager = bench.key("prod", KeyKind::Management, &[]).await;
    let reader = bench.key("prod", KeyKind::Management, &["environments:read"]).await;
    let reply = bench.call("GET", "/2/auth", Value::Null).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.headers["content-type"]),
        (401, &"application/vnd.api+json".parse().unwrap())
    );
    let error = &reply.json()["errors"][0];
    assert_eq!(error["code"], "unauthenticated/invalid-key");
    assert_eq!(error["title"], "invalid API key");
    assert_eq!(error["source"]["header"], "Authorization");
    let auth = bench.call_as(&manager, "GET", "/2/auth", Value::Null).await.json();
    assert_eq!(auth["data"]["attributes"]["key_type"], "management");

    let environments = "/2/teams/tracery/environments";
    let body = json!({"data": {"type": "environments", "attributes": {"name": "Staging", "color": "blue"}}});
    assert_eq!(bench.call_as(&reader, "POST", environments, body.clone()).await.status, 403);
    let made = bench.call_as(&manager, "POST", environments, body.clone()).await;
    assert_eq!(made.status, 201);
    let id = made.json()["data"]["id"].as_str().unwrap().to_owned();
    assert_eq!(bench.call_as(&manager, "POST", environments, body).await.status, 409);
    let first =
        bench.call_as(&reader, "GET", &format!("{environments}?page[size]=1"), Value::Null).await.json();
    assert_eq!(first["data"].as_array().unwrap().len(), 1);
    let next = first["links"]["next"].as_str().unwrap();
    let second = bench.call_as(&reader, "GET", next, Value::Null).await.json();
    assert_eq!((&second["data"][0]["id"], &second["links"]["next"]), (&json!(id), &Value::Null));

    let keys = "/2/teams/tracery/api-keys";
    let body = json!({"data": {"type": "api-keys",
        "attributes": {"name": "k", "key_type": "ingest", "permissions": {"create_datasets": true}},
        "relationships": {"environment": {"data": {"type": "environments", "id": id}}}}});
    let made = bench.call_as(&manager, "POST", keys, body).await;
    assert_eq!(made.status, 201);
    let resource = made.json()["data"].clone();
    let key_id = resource["id"].as_str().unwrap();
    let secret = format!("{key_id}{}", resource["attributes"]["secret"].as_str().unwrap());
    assert_eq!(secret.len(), 64);
    let auth = bench.call_as(&secret, "GET", "/1/auth", Value::Null).await.json();
    assert_eq!(auth["environment"]["slug"], "staging");
    let one = format!("{keys}/{key_id}");
    let disable = json!({"data": {"type": "api-keys", "id": key_id, "attributes": {"disabled": true}}});
    assert_eq!(bench.call_as(&manager, "PATCH", &one, disable).await.status, 200);
    assert_eq!(bench.call_as(&secret, "GET", "/1/auth", Value::Null).await.status, 401);
    let shown = bench.call_as(&manager, "GET", &one, Value::Null).await.json();
    assert_eq!(shown["data"]["attributes"].get("secret"), None);
    assert_eq!(bench.call_as(&manager, "DELETE", &one, Value::Null).await.status, 204);
    assert_eq!(bench.call_as(&manager, "GET", &one, Value::Null).await.status, 404);

    let one = format!("{environments}/{id}");
    assert_eq!(bench.call_as(&manager, "DELETE", &one, Value::Null).await.status, 409);
    let open = json!({"data": {"type": "environments", "id": id, "attributes": {"settings": {"delete_protected": false}}}});
    assert_eq!(bench.call_as(&manager, "PATCH", &one, open).await.status, 200);
    assert_eq!(bench.call_as(&manager, "DELETE", &one, Value::Null).await.status, 204);
    assert_eq!(bench.call_as(&manager, "GET", "/2/teams/others/environments", Value::Null).await.status, 404);
}

/// Every endpoint with `{…}` filled from what `prod` has: a wrong key learns nothing, and the key of another
/// environment finds nothing.
#[tokio::test]
async fn no_key_reaches_another_environment() {
    let bench = Bench::new(AuthMode::Required).await;
    let stranger = bench.key("other", KeyKind::Configuration, &[]).await;
    let powerless = bench.key("prod", KeyKind::Configuration, &["send_events"]).await;
    bench.expect(201, "POST", "/1/datasets", json!({"name": "Web App"})).await;
    let id = |value: Value| value["id"].as_str().unwrap().to_owned();
    let column = id(bench.expect(200, "GET", "/1/columns/web-app?key_name=duration_ms", Value::Null).await);
    let field_body = json!({"alias": "f", "expression": "1"});
    let field = id(bench.expect(201, "POST", "/1/derived_columns/web-app", field_body.clone()).await);
    let field_all = id(bench.expect(201, "POST", "/1/derived_columns/__all__", field_body.clone()).await);
    let query = id(bench.expect(200, "POST", "/1/queries/web-app", json!({})).await);
    let query_all = id(bench.expect(200, "POST", "/1/queries/__all__", json!({})).await);
    let note_body = json!({"name": "n", "query_id": query});
    let note = id(bench.expect(201, "POST", "/1/query_annotations/web-app", note_body.clone()).await);
    let run_all = json!({"query_id": query_all});
    let result = id(bench.expect(201, "POST", "/1/query_results/__all__", run_all.clone()).await);
    let board = id(bench.expect(201, "POST", "/1/boards", json!({"name": "b"})).await);
    let view = id(bench.expect(201, "POST", &format!("/1/boards/{board}/views"), json!({"name": "v"})).await);
    let marker = id(bench.expect(201, "POST", "/1/markers/__all__", json!({})).await);
    let color = json!({"type": "t", "color": "#000000"});
    let setting = id(bench.expect(201, "POST", "/1/marker_settings/__all__", color.clone()).await);
    let named = json!({"name": "x"});
    let none = Value::Null;
    let endpoints: Vec<(&str, String, Value)> = vec![
        ("GET", "/1/datasets/web-app".into(), none.clone()),
        ("PUT", "/1/datasets/web-app".into(), json!({"description": "stolen"})),
        ("DELETE", "/1/datasets/web-app".into(), none.clone()),
        ("GET", "/1/columns/web-app".into(), none.clone()),
        ("POST", "/1/columns/web-app".into(), json!({"key_name": "x"})),
        ("GET", format!("/1/columns/web-app/{column}"), none.clone()),
        ("PUT", format!("/1/columns/web-app/{column}"), json!({"description": "stolen"})),
        ("DELETE", format!("/1/columns/web-app/{column}"), none.clone()),
        ("GET", "/1/derived_columns/web-app".into(), none.clone()),
        ("POST", "/1/derived_columns/web-app".into(), field_body.clone()),
        ("GET", format!("/1/derived_columns/web-app/{field}"), none.clone()),
        ("GET", format!("/1/derived_columns/__all__/{field_all}"), none.clone()),
        ("PUT", format!("/1/derived_columns/__all__/{field_all}"), field_body.clone()),
        ("DELETE", format!("/1/derived_columns/__all__/{field_all}"), none.clone()),
        ("GET", "/1/dataset_definitions/web-app".into(), none.clone()),
        ("PATCH", "/1/dataset_definitions/web-app".into(), json!({"error": {"name": "duration_ms"}})),
        ("POST", "/1/queries/web-app".into(), json!({})),
        ("GET", format!("/1/queries/web-app/{query}"), none.clone()),
        ("GET", format!("/1/queries/__all__/{query_all}"), none.clone()),
        ("GET", "/1/query_annotations/web-app".into(), none.clone()),
        ("POST", "/1/query_annotations/web-app".into(), note_body.clone()),
        ("GET", format!("/1/query_annotations/web-app/{note}"), none.clone()),
        ("PUT", format!("/1/query_annotations/web-app/{note}"), note_body.clone()),
        ("DELETE", format!("/1/query_annotations/web-app/{note}"), none.clone()),
        ("POST", "/1/query_results/web-app".into(), json!({"query_id": query})),
        ("POST", "/1/query_results/__all__".into(), run_all),
        ("GET", format!("/1/query_results/__all__/{result}"), none.clone()),
        ("GET", format!("/1/boards/{board}"), none.clone()),
        ("PUT", format!("/1/boards/{board}"), named.clone()),
        ("DELETE", format!("/1/boards/{board}"), none.clone()),
        ("GET", format!("/1/boards/{board}/views"), none.clone()),
        ("POST", format!("/1/boards/{board}/views"), named.clone()),
        ("GET", format!("/1/boards/{board}/views/{view}"), none.clone()),
        ("PUT", format!("/1/boards/{board}/views/{view}"), named),
        ("DELETE", format!("/1/boards/{board}/views/{view}"), none.clone()),
        ("GET", format!("/1/markers/__all__/{marker}"), none.clone()),
        ("PUT", format!("/1/markers/__all__/{marker}"), json!({"message": "stolen"})),
        ("DELETE", format!("/1/markers/__all__/{marker}"), none.clone()),
        ("GET", format!("/1/marker_settings/__all__/{setting}"), none.clone()),
        ("PUT", format!("/1/marker_settings/__all__/{setting}"), color),
        ("DELETE", format!("/1/marker_settings/__all__/{setting}"), none.clone()),
        ("GET", "/1/triggers/web-app".into(), none.clone()),
        ("GET", "/1/slos/web-app".into(), none.clone()),
        ("GET", "/1/burn_alerts/web-app".into(), none.clone()),
        ("GET", "/1/recipients".into(), none.clone()),
    ];
    for (method, path, body) in &endpoints {
        for wrong in ["", "nonsense"] {
            let reply = bench.call_as(wrong, method, path, body.clone()).await;
            assert_eq!(reply.status, 401, "{method} {path}");
        }
        let reply = bench.call_as(&stranger, method, path, body.clone()).await;
        assert_eq!(reply.status, 404, "{method} {path}: {}", String::from_utf8_lossy(&reply.bytes));
        assert_eq!(reply.headers["content-type"], "application/problem+json");
        let is_dataset_read = *method == "GET" && path == "/1/datasets/web-app";
        let reply = bench.call_as(&powerless, method, path, body.clone()).await;
        let expected = match path.as_str() {
            _ if is_dataset_read => 200,
            path if ["triggers", "slos", "burn_alerts", "recipients"]
                .iter()
                .any(|part| path.contains(part)) =>
            {
                404
            }
            _ => 403,
        };
        assert_eq!(reply.status, expected, "{method} {path}");
    }
    for path in [
        "/1/datasets",
        "/1/boards",
        "/1/markers/__all__",
        "/1/marker_settings/__all__",
        "/1/derived_columns/__all__",
    ] {
        let reply = bench.call_as(&stranger, "GET", path, Value::Null).await;
        assert_eq!((reply.status.as_u16(), reply.json()), (200, json!([])), "{path}");
        assert_ne!(
            bench.call("GET", path, Value::Null).await.json(),
            json!([]),
            "{path}: nothing was stolen"
        );
    }
    for path in
        ["/2/auth", "/2/teams/tracery/environments", "/2/teams/tracery/api-keys", "/2/teams/tracery/nothing"]
    {
        for wrong in ["", "nonsense", bench.key.as_str()] {
            assert_eq!(bench.call_as(wrong, "GET", path, Value::Null).await.status, 401, "{path}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_or_no_json_is_a_problem() {
    let bench = Bench::new(AuthMode::Required).await;
    let headers = [("x-honeycomb-team", bench.key.as_str())];
    for (body, status, kind) in [
        (vec![b' '; 100_001], 413, "payload-too-large"),
        (b"{".to_vec(), 400, "unparseable"),
        (b"[]".to_vec(), 400, "unparseable"),
    ] {
        let reply = bench.send("POST", "/1/boards", &headers, body).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.headers["content-type"], "application/problem+json");
        assert_eq!(reply.json()["type"], format!("https://api.honeycomb.io/problems/{kind}"));
    }
}

#[tokio::test]
async fn a_run_that_waits_for_others_is_not_taken_for_interrupted() {
    let options = Options { runs_max: 1, ..Options::default() };
    let bench = Bench::with_options(AuthMode::Required, options).await;
    let query = bench.expect(200, "POST", "/1/queries/__all__", json!({"wait": 1})).await;
    let mut results = Vec::new();
    for _ in 0..9 {
        let body = json!({"query_id": query["id"]});
        let made = bench.expect(201, "POST", "/1/query_results/__all__", body).await;
        results.push(format!("/1/query_results/__all__/{}", made["id"].as_str().unwrap()));
    }
    let body = json!({"query_id": query["id"]});
    bench.expect(429, "POST", "/1/query_results/__all__", body).await;
    let last = results.last().unwrap();
    // Eight runs of five minutes lie before it.
    bench.clock.advance_ns(8 * 300 * 1_000_000_000);
    assert_eq!(bench.expect(200, "GET", last, Value::Null).await["complete"], false);
    bench.clock.advance_ns(361 * 1_000_000_000);
    assert_eq!(bench.expect(200, "GET", last, Value::Null).await["error"], "the query was interrupted");
    bench.engine.gate.add_permits(9);
    while bench.expect(200, "GET", last, Value::Null).await.get("data").is_none() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn asking_for_a_result_is_counted_and_polling_for_it_is_not() {
    let options = Options { requests_per_minute_max: 3, ..Options::default() };
    let bench = Bench::with_options(AuthMode::Required, options).await;
    let query = bench.expect(200, "POST", "/1/queries/__all__", json!({})).await;
    let body = json!({"query_id": query["id"]});
    let made = bench.expect(201, "POST", "/1/query_results/__all__", body.clone()).await;
    for _ in 0..5 {
        let path = format!("/1/query_results/__all__/{}", made["id"].as_str().unwrap());
        let reply = bench.call("GET", &path, Value::Null).await;
        assert_eq!((reply.status.as_u16(), reply.headers.contains_key("ratelimit")), (200, false));
    }
    bench.expect(201, "POST", "/1/query_results/__all__", body.clone()).await;
    bench.expect(429, "POST", "/1/query_results/__all__", body).await;
}

#[tokio::test]
async fn a_page_after_what_is_not_there_is_refused() {
    let bench = Bench::new(AuthMode::Open).await;
    let path = "/2/teams/tracery/api-keys?page[size]=1";
    let first = bench.call_as("", "GET", path, Value::Null).await.json();
    assert_eq!(first["data"].as_array().unwrap().len(), 1);
    let after = format!("{path}&page[after]={}", first["data"][0]["id"].as_str().unwrap());
    assert_eq!(bench.call_as("", "GET", &after, Value::Null).await.status, 200);
    let reply = bench.call_as("", "GET", &format!("{path}&page[after]=gone"), Value::Null).await;
    assert_eq!(reply.status, 422);
    assert_eq!(reply.json()["errors"][0]["source"]["pointer"], "/data/attributes/page[after]");
}
