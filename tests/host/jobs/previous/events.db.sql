BEGIN TRANSACTION;
CREATE TABLE events(
    seq INTEGER PRIMARY KEY,
    ts REAL NOT NULL,
    principal TEXT NOT NULL,
    dispatch TEXT,
    job TEXT,
    host TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
);
INSERT INTO "events" VALUES(1,1.79524288873377513885e+09,'person','d1',NULL,'localhost','dispatch','{"id":"d1","clip":null,"source":"say","outcome":"accepted"}');
INSERT INTO "events" VALUES(2,1.79524288873455786707e+09,'person','d1',NULL,'localhost','transcript','{"text":"say hello","alternatives":[],"confidence":null,"no_speech":false,"engine":"typed","confirmed":[],"round":1}');
INSERT INTO "events" VALUES(3,1.79524288873856329917e+09,'person','d2',NULL,'localhost','dispatch','{"id":"d2","clip":null,"source":"say","outcome":"accepted"}');
INSERT INTO "events" VALUES(4,1.79524288873859667772e+09,'person','d2',NULL,'localhost','transcript','{"text":"mumble","alternatives":[],"confidence":null,"no_speech":false,"engine":"typed","confirmed":[],"round":1}');
INSERT INTO "events" VALUES(5,1.7952428887466828823e+09,'person','d1',NULL,'localhost','outcome','{"outcome":"jobs","reason":"matched","why":"","heard":"say hello","round":1,"reply_to":null}');
INSERT INTO "events" VALUES(6,1.79524288874671626085e+09,'person','d1','d1.1','localhost','job','{"id":"d1.1","agent":"command","state":"queued","heard":"say hello","phrase":"say hello","plan":{"argv":["printf","hello"],"cwd":"{state}","env":[],"timeout_s":60.0,"max_output_bytes":65536,"idempotent":false,"result":null},"round":1,"follows":null}');
INSERT INTO "events" VALUES(7,1.7952428887473549843e+09,'person','d3',NULL,'localhost','dispatch','{"id":"d3","clip":null,"source":"say","outcome":"accepted"}');
INSERT INTO "events" VALUES(8,1.79524288874738502507e+09,'person','d3',NULL,'localhost','transcript','{"text":"wait for it","alternatives":[],"confidence":null,"no_speech":false,"engine":"typed","confirmed":[],"round":1}');
INSERT INTO "events" VALUES(9,1.79524288875064468385e+09,'person','d4',NULL,'localhost','dispatch','{"id":"d4","clip":null,"source":"say","outcome":"accepted"}');
INSERT INTO "events" VALUES(10,1795242888.75068,'person','d4',NULL,'localhost','transcript','{"text":"wait again","alternatives":[],"confidence":null,"no_speech":false,"engine":"typed","confirmed":[],"round":1}');
INSERT INTO "events" VALUES(11,1.7952428887551891804e+09,'person','d5',NULL,'localhost','dispatch','{"id":"d5","clip":null,"source":"say","outcome":"accepted"}');
INSERT INTO "events" VALUES(12,1.79524288875522422788e+09,'person','d5',NULL,'localhost','transcript','{"text":"remind me in three seconds to go","alternatives":[],"confidence":null,"no_speech":false,"engine":"typed","confirmed":[],"round":1}');
INSERT INTO "events" VALUES(13,1.79524288876456093785e+09,'person','d1','d1.1','localhost','attempt','{"job":"d1.1","n":1,"pid":15893,"pgid":15893,"started":"93412283-0c7b-421d-9c4a-cc62ac7eeedf/2755657"}');
INSERT INTO "events" VALUES(14,1.79524288876463770873e+09,'person','d1','d1.1','localhost','job','{"id":"d1.1","agent":"command","state":"running"}');
INSERT INTO "events" VALUES(15,1.79524288877215743064e+09,'person','d6',NULL,'localhost','dispatch','{"id":"d6","clip":null,"source":"say","outcome":"accepted"}');
INSERT INTO "events" VALUES(16,1.79524288877219247812e+09,'person','d6',NULL,'localhost','transcript','{"text":"remind me in an hour to stay","alternatives":[],"confidence":null,"no_speech":false,"engine":"typed","confirmed":[],"round":1}');
INSERT INTO "events" VALUES(17,1.79524288878079366681e+09,'person','d3',NULL,'localhost','outcome','{"outcome":"jobs","reason":"matched","why":"","heard":"wait for it","round":1,"reply_to":null}');
INSERT INTO "events" VALUES(18,1.79524288878082442276e+09,'person','d3','d3.1','localhost','job','{"id":"d3.1","agent":"command","state":"queued","heard":"wait for it","phrase":"wait for it","plan":{"argv":["sh","-c","echo ran >> {state}/ledger; exec sleep 60"],"cwd":"{state}","env":[],"timeout_s":60.0,"max_output_bytes":65536,"idempotent":false,"result":null},"round":1,"follows":null}');
INSERT INTO "events" VALUES(19,1.79524288878333640093e+09,'person','d2',NULL,'localhost','outcome','{"outcome":"held","reason":"no_match","why":"no phrase of yours says that","heard":"mumble","round":1,"reply_to":null}');
INSERT INTO "events" VALUES(20,1.79524288878343605993e+09,'person','d2',NULL,'localhost','notice','{"seq":1,"ep":"0123456789abcdef","kind":"held","dispatch":"d2","job":null,"text":"Heard: mumble. No phrase of yours says that.","detail":"To do what was meant: lapel release d2 \"the right words\""}');
INSERT INTO "events" VALUES(21,1.79524288879215264316e+09,'person','d4',NULL,'localhost','outcome','{"outcome":"jobs","reason":"matched","why":"","heard":"wait again","round":1,"reply_to":null}');
INSERT INTO "events" VALUES(22,1.79524288879218864439e+09,'person','d4','d4.1','localhost','job','{"id":"d4.1","agent":"command","state":"queued","heard":"wait again","phrase":"wait again","plan":{"argv":["sh","-c","echo ran >> {state}/ledger; test $(wc -l < {state}/ledger) -ge 2 || exec sleep 60"],"cwd":"{state}","env":[],"timeout_s":60.0,"max_output_bytes":65536,"idempotent":true,"result":null},"round":1,"follows":null}');
INSERT INTO "events" VALUES(23,1.79524288879385805132e+09,'person','d5',NULL,'localhost','outcome','{"outcome":"jobs","reason":"matched","why":"","heard":"remind me in three seconds to go","round":1,"reply_to":null}');
INSERT INTO "events" VALUES(24,1.79524288879391264914e+09,'person','d5','d5.1','localhost','job','{"id":"d5.1","agent":"reminder","state":"queued","heard":"remind me in three seconds to go","phrase":"remind me in {when} to {text}","plan":{"text":"go","due_unix_s":1795242891.7551892,"said_unix_s":1795242888.7551892,"promise":"you will be reminded at 06:34"},"round":1,"follows":null}');
INSERT INTO "events" VALUES(25,1.79524288879398775096e+09,'person','d5','d5.1','localhost','notice','{"seq":2,"ep":"0123456789abcdef","kind":"done","dispatch":"d5","job":"d5.1","text":"remind me in three seconds to go: you will be reminded at 06:34","detail":""}');
INSERT INTO "events" VALUES(26,1.79524288879777264597e+09,'person','d3','d3.1','localhost','attempt','{"job":"d3.1","n":1,"pid":15896,"pgid":15896,"started":"93412283-0c7b-421d-9c4a-cc62ac7eeedf/2755660"}');
INSERT INTO "events" VALUES(27,1.79524288879940629006e+09,'person','d3','d3.1','localhost','job','{"id":"d3.1","agent":"command","state":"running"}');
INSERT INTO "events" VALUES(28,1.79524288881626033782e+09,'person','d6',NULL,'localhost','outcome','{"outcome":"jobs","reason":"matched","why":"","heard":"remind me in an hour to stay","round":1,"reply_to":null}');
INSERT INTO "events" VALUES(29,1.79524288881630516047e+09,'person','d6','d6.1','localhost','job','{"id":"d6.1","agent":"reminder","state":"queued","heard":"remind me in an hour to stay","phrase":"remind me in {when} to {text}","plan":{"text":"stay","due_unix_s":1795246488.7721574,"said_unix_s":1795242888.7721574,"promise":"you will be reminded at 07:34"},"round":1,"follows":null}');
INSERT INTO "events" VALUES(30,1.79524288881636857979e+09,'person','d6','d6.1','localhost','notice','{"seq":3,"ep":"0123456789abcdef","kind":"done","dispatch":"d6","job":"d6.1","text":"remind me in an hour to stay: you will be reminded at 07:34","detail":""}');
INSERT INTO "events" VALUES(31,1.79524288882017970083e+09,'person','d4','d4.1','localhost','attempt','{"job":"d4.1","n":1,"pid":15898,"pgid":15898,"started":"93412283-0c7b-421d-9c4a-cc62ac7eeedf/2755662"}');
INSERT INTO "events" VALUES(32,1.79524288882038044932e+09,'person','d4','d4.1','localhost','job','{"id":"d4.1","agent":"command","state":"running"}');
INSERT INTO "events" VALUES(33,1.79524288882582116122e+09,'person','d1','d1.1','localhost','job','{"id":"d1.1","agent":"command","state":"done","text":"hello","log":"254eeb8e19053ced283b.log","argv":["printf","hello"],"exit":0,"dropped_bytes":0}');
INSERT INTO "events" VALUES(34,1.79524288882611393926e+09,'person','d1','d1.1','localhost','notice','{"seq":4,"ep":"0123456789abcdef","kind":"done","dispatch":"d1","job":"d1.1","text":"say hello: hello","detail":"hello"}');
CREATE INDEX events_kind ON events(kind, seq);
CREATE INDEX events_dispatch ON events(dispatch, kind, seq) WHERE dispatch IS NOT NULL;
CREATE UNIQUE INDEX one_event_per_dispatch ON events(dispatch) WHERE kind = 'dispatch';
CREATE UNIQUE INDEX one_dispatch_per_clip
    ON events(json_extract(body, '$.clip'))
    WHERE kind = 'dispatch' AND json_extract(body, '$.clip') IS NOT NULL;
CREATE UNIQUE INDEX one_notice_per_seq
    ON events(json_extract(body, '$.seq')) WHERE kind = 'notice';
CREATE INDEX clip_events ON events(json_extract(body, '$.id')) WHERE kind = 'clip';
PRAGMA user_version=1;
COMMIT;
