use crate::support::*;
#[tokio::test]
async fn smoke() {
    let c = clickhouse(Via::Pipe).await;
    let t = std::time::Instant::now();
    migrate(&c, "smoke").await;
    println!("migrated {:?}", t.elapsed());
    let t = std::time::Instant::now();
    migrate(&c, "smoke").await;
    println!("again {:?}", t.elapsed());
    let rows: Vec<(String)> =
        c.fetch("SELECT create_table_query FROM system.tables WHERE database='smoke_analytics'").await.unwrap();
    for r in rows {
        println!("{r}\n");
    }
}
