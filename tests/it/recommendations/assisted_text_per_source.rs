use serde_json::{Value, json};

use crate::support::{TestApp, message, series, with};

const PATH: &str = "/api/v1/recommendations/charts/assisted-text-per-source";

#[tokio::test]
async fn sources_are_mapped_to_categories_and_the_largest_comes_first() {
    let app = TestApp::start("assisted_categories").await;
    let time = "2026-02-01T10:00:00Z";
    let sources = [
        ("text_recommendation", 1),
        ("rec", 2),
        ("semantic", 2),
        ("trie", 2),
        ("trie-with-typos", 2),
        ("mixed", 2),
        ("sticky-messages", 3),
        ("studio-search", 4),
        ("search-preview", 4),
        ("search-autocomplete", 4),
        ("search-default", 4),
        ("search-personal", 4),
        ("search-stickymessage", 4),
        ("gpt", 50),
        ("url_recommendation", 6),
        ("url", 6),
        ("search-url", 6),
        ("brand-new", 70),
    ];
    let suggestions: Vec<(&str, u32, bool)> =
        sources.iter().map(|(source, length)| (*source, *length, false)).collect();
    app.store(&[message(time, &suggestions)]).await;
    let chart = app.get(&format!("{PATH}?datetime_from=2026-02-01&datetime_to=2026-02-01&aggregation_level=day")).await;
    insta::assert_snapshot!(series(&chart), @r"
    brand-new: [70]
    text-generation: [50]
    search: [24]
    url-suggestion: [18]
    autocomplete: [10]
    pinned-messages: [3]
    reply-suggestion: [1]
    ");
}

#[tokio::test]
async fn only_text_of_messages_with_a_profile_code_counts() {
    let app = TestApp::start("assisted_population").await;
    let time = "2026-02-01T10:00:00Z";
    app.store(&[
        message(time, &[("gpt", 10, false), ("gpt", 0, false)]),
        with(message(time, &[("gpt", 100, false)]), json!({"profile_code": null})),
        with(message(time, &[("gpt", 1_000, false)]), json!({"event": "Message Received"})),
    ])
    .await;
    let chart = app.get(&format!("{PATH}?datetime_from=2026-02-01&datetime_to=2026-02-01&aggregation_level=day")).await;
    assert_eq!(series(&chart), "text-generation: [10]\n");
}

#[tokio::test]
async fn the_axis_is_dense_in_the_zone_of_the_question() {
    let app = TestApp::start("assisted_axis").await;
    app.store(&[
        message("2026-03-28T23:30:00Z", &[("gpt", 1, false)]),
        message("2026-03-29T21:59:59.999999Z", &[("gpt", 2, false)]),
        message("2026-03-29T22:00:00Z", &[("gpt", 4, false)]),
    ])
    .await;
    let days = format!(
        "{PATH}?datetime_from=2026-03-28&datetime_to=2026-03-31&aggregation_level=DAY&timezone=Europe/Amsterdam"
    );
    let chart = app.get(&days).await;
    assert_eq!(
        chart["xAxis"][0]["data"],
        json!([
            "2026-03-28T00:00:00+01:00",
            "2026-03-29T00:00:00+01:00",
            "2026-03-30T00:00:00+02:00",
            "2026-03-31T00:00:00+02:00"
        ])
    );
    assert_eq!(series(&chart), "text-generation: [0,3,4,0]\n");
    assert_eq!(chart["xAxis"][0]["id"], "time");
    assert_eq!(chart["xAxis"][0]["scaleType"], "band");
    assert_eq!(chart["series"][0]["stack"], "total");
}

#[tokio::test]
async fn meta_says_what_the_answer_is_about() {
    let app = TestApp::start("assisted_meta").await;
    app.store(&[message("2026-02-01T10:00:00Z", &[("gpt", 1, false)])]).await;
    let chart = app
        .get(&format!("{PATH}?datetime_from=2026-02-01T06:00:00Z&datetime_to=2026-02-03&aggregation_level=day"))
        .await;
    let meta = &chart["meta"];
    assert_eq!(meta["range"], json!({"from": "2026-02-01T06:00:00+00:00", "to": "2026-02-04T00:00:00+00:00"}));
    assert_eq!(meta["timezone"], "UTC");
    assert_eq!(meta["aggregation_level"], "day");
    assert_eq!(meta["unit"], "characters");
    assert_eq!(meta["partial"], json!([0]));
    assert_eq!(meta["source"], "recommendations_1h");
    assert!(meta["fresh_as_of"].as_str().unwrap().starts_with("20"));
    assert!(meta["rows_read"].as_u64().unwrap() > 0);
    assert!(meta["elapsed_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(chart["comparison"], Value::Null);
}

#[tokio::test]
async fn minutes_and_fields_that_no_rollup_has_are_read_from_raw_rows() {
    let app = TestApp::start("assisted_raw").await;
    app.store(&[
        with(message("2026-02-01T10:00:30Z", &[("gpt", 1, false)]), json!({"visitor_id": "v1", "channel": "chat"})),
        with(message("2026-02-01T10:01:30Z", &[("gpt", 2, false)]), json!({"visitor_id": "v2", "channel": "mail"})),
    ])
    .await;
    let range = "datetime_from=2026-02-01T10:00:00Z&datetime_to=2026-02-01T10:03:00Z&aggregation_level=minute";
    let minutes = app.get(&format!("{PATH}?{range}")).await;
    assert_eq!((series(&minutes).as_str(), &minutes["meta"]["source"]), ("text-generation: [1,2,0]\n", &json!("raw")));
    for (filter, expected) in [
        ("visitor_id:eq:v2", "text-generation: [0,2,0]\n"),
        ("data.channel:eq:chat", "text-generation: [1,0,0]\n"),
        ("data.channel:ne:chat", "text-generation: [0,2,0]\n"),
        ("data.nothing:ne:chat", "text-generation: [1,2,0]\n"),
        ("data.text_length:gte:100|visitor_id:eq:nobody", "text-generation: [1,2,0]\n"),
        ("data.text_length:gt:100", ""),
    ] {
        let chart = app.get(&format!("{PATH}?{range}&filter={filter}")).await;
        assert_eq!((series(&chart).as_str(), &chart["meta"]["source"]), (expected, &json!("raw")), "{filter}");
    }
}

#[tokio::test]
async fn an_earlier_period_stands_beside_it_index_by_index() {
    let app = TestApp::start("assisted_compare").await;
    app.store(&[
        message("2026-01-31T10:00:00Z", &[("gpt", 7, false)]),
        message("2026-02-01T10:00:00Z", &[("gpt", 5, false)]),
        message("2026-03-02T10:00:00Z", &[("gpt", 3, false)]),
    ])
    .await;
    let march = "datetime_from=2026-03-01&datetime_to=2026-03-31&aggregation_level=week&compare=previous_period";
    let chart = app.get(&format!("{PATH}?{march}")).await;
    assert_eq!(series(&chart), "text-generation: [0,3,0,0,0,0]\n");
    let comparison = &chart["comparison"];
    assert_eq!(comparison["range"], json!({"from": "2026-02-01T00:00:00+00:00", "to": "2026-03-01T00:00:00+00:00"}));
    assert_eq!(crate::support::series_of(&comparison["series"]), "text-generation: [5,0,0,0,0,null]\n");
    assert_eq!(comparison["xAxis"][0]["data"][5], Value::Null);
}

#[tokio::test]
async fn the_answer_is_also_csv_and_not_sent_again_when_it_is_known() {
    let app = TestApp::start("assisted_csv").await;
    app.store(&[message("2026-02-01T10:00:00Z", &[("gpt", 5, false), ("a,\"b", 1, false)])]).await;
    let path = format!("{PATH}?datetime_from=2026-02-01&datetime_to=2026-02-02&aggregation_level=day");
    let csv = app.request(&path).bearer_auth(app.token()).header("accept", "text/csv").send().await.unwrap();
    assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8");
    let expected =
        "time,text-generation,\"a,\"\"b\"\r\n2026-02-01T00:00:00+00:00,5,1\r\n2026-02-02T00:00:00+00:00,0,0\r\n";
    assert_eq!(csv.text().await.unwrap(), expected);

    let first = app.request(&path).bearer_auth(app.token()).send().await.unwrap();
    assert_eq!(first.headers()["cache-control"], "private, no-cache");
    let tag = first.headers()["etag"].clone();
    let again = app.request(&path).bearer_auth(app.token()).header("if-none-match", tag.clone()).send().await.unwrap();
    assert_eq!(again.status(), 304);
    assert_eq!(again.headers()["etag"], tag);
    assert_eq!(again.bytes().await.unwrap().len(), 0);

    app.store(&[message("2026-02-02T10:00:00Z", &[("gpt", 1, false)])]).await;
    let changed = app.request(&path).bearer_auth(app.token()).header("if-none-match", tag).send().await.unwrap();
    assert_eq!(changed.status(), 200);
}
