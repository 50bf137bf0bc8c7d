//! Requests that web pages make, with the browser of somebody who may reach the master.

use super::setup::TestMaster;

#[tokio::test]
async fn pages_of_others_change_nothing_and_get_no_scripts() {
    let master = TestMaster::start().await;
    let asked = async |line: &str, headers: &str| {
        let request = format!("{line} HTTP/1.1\r\nconnection: close\r\ncontent-length: 2\r\n{headers}\r\n\r\n[]");
        master.raw(&request).await.status
    };
    for (line, own) in
        [("PUT /weights", 200), ("POST /teardown", 400), ("GET /logging/toggle", 200), ("GET /state?jsonp=f", 200)]
    {
        for foreign in
            ["origin: http://evil.example\r\nhost: x", "sec-fetch-site: cross-site\r\nhost: x", "host: evil.example"]
        {
            assert_eq!(asked(line, foreign).await, 403, "{line} {foreign}");
        }
        assert_eq!(asked(line, "host: x").await, own, "{line}");
        assert_eq!(asked(line, "host: x:5050\r\norigin: http://x:5050").await, own, "{line}");
    }
    for (kind, status) in
        [("text/plain", 415), ("multipart/form-data", 415), ("application/x-www-form-urlencoded", 400)]
    {
        assert_eq!(asked("POST /teardown", &format!("host: x\r\ncontent-type: {kind}")).await, status, "{kind}");
    }
    master.stop().await;
}
