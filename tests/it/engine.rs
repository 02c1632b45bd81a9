use clickhouse::Row;
use serde::{Deserialize, Serialize};

use crate::support::{Via, client};

#[derive(Row, Serialize, Deserialize, Debug, PartialEq)]
struct N {
    n: u64,
}

#[tokio::test]
async fn smoke() {
    for via in [Via::Pipe, Via::Tcp] {
        let c = client(via).await;
        let rows: Vec<N> = c
            .query_raw("SELECT toUInt64(number) AS n FROM numbers({k:UInt64})")
            .param("k", 3)
            .fetch_all()
            .await
            .unwrap();
        assert_eq!(rows.len(), 3);
        let rows: Vec<N> = c.query_raw("SELECT toUInt64(number) AS n FROM numbers(0)").fetch_all().await.unwrap();
        assert_eq!(rows.len(), 0);
        let mut cur = c.query_raw("SELECT toUInt64(number) AS n FROM numbers(1000000)").fetch::<N>().unwrap();
        let mut k = 0u64;
        while let Some(r) = cur.next().await.unwrap() {
            assert_eq!(r.n, k);
            k += 1;
        }
        assert_eq!(k, 1000000);
        println!("{:?}", cur.summary());
        let e = c
            .query_raw("SELECT toUInt64(throwIf(number = 900000)) AS n FROM numbers(1000000)")
            .fetch_all::<N>()
            .await
            .unwrap_err();
        println!("{e}");
        let e = c.query_raw("SELECT x").fetch_all::<N>().await.unwrap_err();
        println!("{e}");
        for _ in 0..3 {
            let mut t = Vec::new();
            for _ in 0..300 {
                let s = std::time::Instant::now();
                let _: N = c
                    .query_raw("SELECT toUInt64(1) AS n")
                    .with_setting("max_threads", "1")
                    .with_setting("max_execution_time", "30")
                    .fetch_one()
                    .await
                    .unwrap();
                t.push(s.elapsed().as_micros());
            }
            t.sort();
            println!("{via:?} p50 {} p90 {}", t[150], t[270]);
        }
    }
}
