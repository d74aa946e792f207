"""Possible secrets are masked, and useful text is shown."""

from __future__ import annotations

import pytest

from lobster_tasks.masking import mask, mask_shapes, secret_values


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENAI_API_KEY", "a-plain-word"),
        ("DB_PASSWORD", "blue"),
        ("DATABASE_URL", "postgres://app:hunter2@db/app"),
        ("SENTRY_DSN", "https://abc@sentry.io/1"),
        ("SETTING", "hunter2x99y"),
        ("SETTING", "Zm9vYmFyYmF6cXV1eA=="),
    ],
)
def test_values_that_may_be_secrets(name: str, value: str) -> None:
    assert secret_values(environment({name: value})) == (value,)
    assert value not in mask(f"could not use {value} today", secret_values(environment({name: value})))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "8501"),
        ("AWS_REGION", "us-east-2"),
        ("ENVIRONMENT", "production"),
        ("LOG_LEVEL", "debug"),
        ("PYTHONUNBUFFERED", "1"),
        ("MODEL", "gpt-4o-mini"),
        ("VERSION", "v1.20.3"),
        ("HOST", "api.example.com"),
        ("FOLDER", "/app/data/files"),
        ("STREAMLIT_SERVER_HEADLESS", "true"),
        ("TOKEN_LIMIT", "4096"),
    ],
)
def test_plain_values_stay_readable(name: str, value: str) -> None:
    assert secret_values(environment({name: value})) == ()


def test_a_value_of_several_lines_is_masked_line_by_line() -> None:
    """A log has one line after the other, whatever ends them in the value."""
    for end in ("\n", "\r\n"):
        value = end.join(["{", '  "private_key": "Zm9v', "  YmFyYmF6cXV1eA==", "  plain words", '"}'])
        values = secret_values(environment({"CREDENTIALS": value}))
        assert values[0] == value
        shown = [mask(line, values) for line in value.splitlines()]
        assert shown == ["{", "  ***", "  ***", "  plain words", '"}']


def test_the_longest_value_is_masked_first() -> None:
    values = secret_values(environment({"A_KEY": "abcd", "B_KEY": "abcdefgh"}))
    assert values == ("abcdefgh", "abcd")
    assert mask("abcdefgh and abcd", values) == "*** and ***"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("key sk-proj-abcdefghijklmnopqrst refused", "key *** refused"),
        ("AKIAIOSFODNN7EXAMPLE is not valid", "*** is not valid"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "***"),
        ("cannot reach postgres://app:hunter2@db:5432/app", "cannot reach postgres://app:***@db:5432/app"),
        ("Authorization: Bearer abc.def.ghi", "Authorization: Bearer ***"),
        ("password=hunter2&x=1", "password=***&x=1"),
        ('{"api_key": "abcdef"}', '{"api_key": "***"}'),
        ("bad token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.sflKxw", "bad token ***"),
        ("ModuleNotFoundError: No module named 'pandas'", "ModuleNotFoundError: No module named 'pandas'"),
        (
            "no arn:aws:secretsmanager:us-east-2:123456789012:secret:openai-x1Y2z3",
            "no arn:aws:secretsmanager:us-east-2:123456789012:secret:openai-x1Y2z3",
        ),
    ],
)
def test_lines_of_a_log(line: str, shown: str) -> None:
    assert mask(line) == shown


# What each vendor's key looks like. They are put together here, so that no scanner takes them for somebody's.
KEYS = {
    "AWS": "AKIA" + "IOSFODNN7EXAMPLE",
    "Airtable": "pat" + "a1B2" * 3 + "c3." + "0af1" * 16,
    "Anthropic": "sk-ant-api03-" + "a1B2" * 10,
    "Atlassian": "ATATT3" + "xFf1" * 12,
    "Amazon Bedrock": "ABSK" + "QmVkcm9ja0FQSUtleS" + "a1B2" * 20 + "==",
    "Amazon Bedrock, short-term": "bedrock-api-key-" + "a1B2" * 20,
    "Azure Entra": "a1B8Q~" + "a1B2" * 8 + "zz",
    "Databricks": "dapi" + "0af1" * 8,
    "DigitalOcean": "dop_v1_" + "0af1" * 16,
    "Docker Hub": "dckr_pat_" + "a1B2" * 6,
    "Doppler": "dp.pt." + "a1B2" * 10,
    "GitHub, app": "ghu_" + "a1B2" * 9,
    "GitHub, fine-grained": "github_pat_" + "a1B2" * 9,
    "GitHub, refresh": "ghr_" + "a1B2" * 9,
    "GitLab, runner": "glrt-" + "a1B2" * 5,
    "GitLab": "glpat-" + "a1B2" * 5,
    "Google, OAuth": "ya29." + "a1B2" * 9,
    "Google, client": "GOCSPX-" + "a1B2" * 7,
    "Google": "AIza" + "SyA1B2c" * 5,
    "Grafana": "glsa_" + "a1B2" * 8 + "_0af1",
    "Groq": "gsk_" + "a1B2" * 13,
    "Hugging Face": "hf_" + "abCd" * 8 + "ef",
    "JWE": "eyJ" + "hbGciOiJSU0EifQ.".replace("R", "T") + "QR6Owv2u.48V1_ALb.5eym8TW_.XFBoMYUZ",
    "LangSmith": "lsv2_pt_" + "0af1" * 8 + "_0af1",
    "Linear": "lin_api_" + "a1B2" * 10,
    "Mailchimp": "0af1" * 8 + "-us12",
    "Mailgun": "key-" + "0af1" * 8,
    "NVIDIA": "nvapi-" + "a1B2" * 16,
    "New Relic": "NRAK-" + "A1B2" * 7,
    "Notion": "ntn_" + "a1B2" * 11,
    "OpenAI, in examples": "sk-" + "abcdefghijklmnopqrstuv",
    "OpenAI": "sk-" + "a1B2" * 12,
    "DeepSeek": "sk-" + "0af1" * 8,
    "OpenRouter": "sk-or-v1-" + "0af1" * 16,
    "xAI": "xai-" + "a1B2" * 20,
    "Perplexity": "pplx-" + "a1B2" * 12,
    "Pinecone": "pcsk_" + "a1B2" * 12,
    "PlanetScale": "pscale_pw_" + "a1B2" * 10,
    "Postman": "PMAK-" + "0af1" * 6 + "-" + "0af1" * 8,
    "PyPI": "pypi-" + "AgEIcHlwaS5vcmc" + "a1B2" * 9,
    "Pulumi": "pul-" + "0af1" * 10,
    "Replicate": "r8_" + "a1B2" * 9,
    "SendGrid": "SG." + "a1B2" * 5 + "." + "c3D4" * 10,
    "Sentry": "sntrys_" + "a1B2" * 10,
    "Shopify": "shpat_" + "0af1" * 8,
    "Slack, app": "xapp-1-" + "A1B2" * 8,
    "Slack, webhook": "https://hooks.slack.com/services/" + "T0A1B2/B0A1B2/" + "a1B2" * 6,
    "Slack": "xoxe-" + "a1B2" * 8,
    "Square": "sq0csp-" + "a1B2" * 10,
    "Stripe": "sk_live_" + "a1B2" * 6,
    "Supabase": "sbp_" + "0af1" * 10,
    "Tavily": "tvly-" + "a1B2" * 8,
    "Telegram": "123456789:AA" + "a1B" * 11,
    "Terraform Cloud": "a1B2" * 3 + "aa.atlasv1." + "a1B2" * 16,
    "Twilio": "SK" + "0af1" * 8,
    "Vault": "hvs." + "a1B2" * 8,
    "age": "AGE-SECRET-KEY-1" + "QPZR" * 14,
    "npm": "npm_" + "a1B2" * 9,
    "Discord, webhook": "https://discord.com/api/webhooks/123456789012345678/" + "a1B2" * 17,
    "Teams, webhook": "https://acme.webhook.office.com/webhookb2/" + "0af1" * 8 + "@" + "0af1" * 8,
    "Zapier, webhook": "https://hooks.zapier.com/hooks/catch/123456/" + "a1b2c3",
}


@pytest.mark.parametrize("vendor", KEYS)
def test_keys_of_known_vendors(vendor: str) -> None:
    key = KEYS[vendor]
    shown = mask_shapes(f"could not use {key} today")
    assert shown.startswith("could not use ")
    assert shown.endswith("*** today")
    assert key[-4:] not in shown


@pytest.mark.parametrize(
    "name",
    [
        "sk-learn-classification-app",
        "pulse-dashboard-production",
        "xai-reports-1234567890.us-east-2.elb.amazonaws.com",
        "pypi-mirror-of-the-team-2",
        "sk-customersegmentation",
        "sk-CustomerSegmentation2024",
        "sk-customersegmentationdashboard",
        "xai-Dashboard-App-Prod:12",
        "sk-learn-dashboard-AbCdEf",
        "xai-explainabilityportal-1234567890.eu-central-1.elb.amazonaws.com",
        "pull-request-12-9f8e7d6c1",
        "pulsedashboardofproduction",
        "npm_customersegmentation",
        "hf_customersegmentation",
    ],
)
def test_names_that_begin_like_a_key_stay(name: str) -> None:
    """They are in headings, addresses and ARNs."""
    for text in (name, f"http://{name}/", f"arn:aws:ecs:us-east-2:123456789012:service/x/{name}"):
        assert mask_shapes(text) == text


# Each password is in a URL as somebody types it, which is not always as RFC 3986 has it.
@pytest.mark.parametrize(
    "password", ["pa/ss", "kJ8/x+2q", "pa@ss", "@", "a:b", "12345", "pa?ss#x", "pa'ss", "x,y", "a\"]b':x}c"]
)
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:{}@db:5432/x",
        "postgresql+psycopg2://app:{}@db/x",
        "postgres://app@corp:{}@corp.postgres.database.azure.com/x",
        "mysql://app:{}@10.0.0.1:3306/x",
        "mongodb+srv://app:{}@a.example.com/?retryWrites=true",
        "redis://:{}@cache:6379/0",
        "amqps://app:{}@mq:5671/vhost",
        "https://me:{}@example.com/simple",
        "sftp://me:{}@files.example.com",
        "jdbc:oracle:thin:app/{}@//db:1521/x",
    ],
)
def test_a_password_in_a_url_is_masked_whole(url: str, password: str) -> None:
    before, _, after = url.partition("{}")
    assert (
        mask_shapes(f"cannot reach {url.format(password)} today") == f"cannot reach {before}***{after} today"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://app:12/ab@db/x", "postgres://app:***@db/x"),
        (
            "https://0a1b2c3d4e5f0a1b2c3d4e5f0a1b2c3d@o1.ingest.sentry.io/1",
            "https://***@o1.ingest.sentry.io/1",
        ),
        ("https://abc123def456abc123def456:x@github.com/a", "https://***:***@github.com/a"),
        ('{"u":"redis://:pa/ss@c","m":"a@b.c"}', '{"u":"redis://:***@c","m":"a@b.c"}'),
        ("Server=db;User Id=sa;Password=Yukon900!;", "Server=db;User Id=sa;Password=***;"),
        (
            "AccountName=x;AccountKey=Eby8vdM0==;EndpointSuffix=y",
            "AccountName=x;AccountKey=***;EndpointSuffix=y",
        ),
        ("Endpoint=sb://x/;SharedAccessKeyName=all;SharedAccessKey=a1b2=", None),
        ("jdbc:postgresql://db/x?user=app&password=hunter22", "jdbc:postgresql://db/x?user=app&password=***"),
        (
            "https://b.s3.amazonaws.com/k?X-Amz-Signature=0af1&x=1",
            "https://b.s3.amazonaws.com/k?X-Amz-Signature=***&x=1",
        ),
        (
            "https://x.blob.core.windows.net/c?sv=2022&sig=a%2Bb%3D",
            "https://x.blob.core.windows.net/c?sv=2022&sig=***",
        ),
    ],
)
def test_connection_strings(text: str, shown: str | None) -> None:
    assert mask_shapes(text) == (shown or text.rpartition("=a1b2=")[0] + "=***")


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com:8443/users/@me",
        "http://api:8080/users/@me",
        "https://example.com/@scope/package",
        "http://[::1]:8080/x@y",
        "git+ssh://git@github.com:22/acme/app@v1",
        "git+ssh://git@github.com:acme/app@v1",
        "git@github.com:acme/app.git",
        "docker://registry:5000/app@sha256:0af1",
        "docker-image://app:latest@sha256:0af1",
        "postgres://$USER:$PASSWORD@db/x",
        "postgres://${USER}:${PASSWORD}@db/x",
        "postgres://app@db/x",
        "http://my-service-of-a-long-name-2:8080/",
        "mailto:a@example.com",
        "ask a@example.com: b@example.com",
        "PWD=/app",
        "Password=$PASSWORD;",
    ],
)
def test_addresses_without_a_password_stay(text: str) -> None:
    assert mask_shapes(text) == text


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Authorization: Token 9944b09199c62bcf", "Authorization: Token ***"),
        ("Authorization: Basic YTpi", "Authorization: Basic ***"),
        ("authorization=Negotiate YIIabcd", "authorization=Negotiate ***"),
        ("Authorization: Whatever 9944b09199c62bcf", "Authorization: ***"),
        ("Authorization: 9944b09199c62bcf", "Authorization: ***"),
        ('Authorization: Digest username="x", response="6629fae4"', "Authorization: ***"),
        ("Authorization: AWS4-HMAC-SHA256 Credential=AK/x, Signature=0af1", "Authorization: ***"),
        ("Proxy-Authorization: Bearer abcd", "Proxy-Authorization: Bearer ***"),
        ("{'Authorization': 'Token 9944b0 9199'}", "{'Authorization': '***'}"),
        ('{"authorization": "Whatever a b c d"}', '{"authorization": "***"}'),
        ("Authorization: Bearer abcd status=200", "Authorization: Bearer *** status=200"),
        ("password='correct horse battery'", "password='***'"),
        ('{"password": "abc def ghi"}', '{"password": "***"}'),
        (r'{"password": "ab\"c d"}', '{"password": "***"}'),
        (r'"{\"password\": \"abc def\"}"', None),
        ("password='correct horse", "password='***"),
        ('token: "a,b"', 'token: "***"'),
        ('SECRET_KEY="django-insecure-#$%^&*(abc;def"', 'SECRET_KEY="***"'),
        ("DB_PASSWORD=a,bcdefghi", "DB_PASSWORD=***"),
        ("DB_PASSWORD=a'bcdefghi next", "DB_PASSWORD=*** next"),
        ("DB_PASSWORD=ab&cd;ef next", "DB_PASSWORD=*** next"),
        ("DB_PASSWORD=;)gjx next", "DB_PASSWORD=*** next"),
        ("DB_PASSWORD=`,'GZXtB next", "DB_PASSWORD=*** next"),
        ('DB_PASSWORD=t@;":}N}O next', "DB_PASSWORD=*** next"),
        ('API_KEY="t;\\":}N}O" next', 'API_KEY="***" next'),
        ('{"token":12345678,"user":"app"}', '{"token":***,"user":"app"}'),
        ("password=hunter2,user=app", "password=***,user=app"),
        ("pwd=hunter22", "pwd=***"),
        ("PGPASSWORD=hunter22 psql", "PGPASSWORD=*** psql"),
        ("passphrase: abcd1234", "passphrase: ***"),
        ("DB_PASS=hunter22", "DB_PASS=***"),
        ("secret_key_base: abcdefghijk", "secret_key_base: ***"),
        ("X-Api-Key: abcdef123456", "X-Api-Key: ***"),
        ("x-amz-security-token: FwoGZXIvYXdzE", "x-amz-security-token: ***"),
        ("Set-Cookie: session=abcdef; Path=/", "Set-Cookie: ***"),
        ("Cookie: a=b; session=abcdef", "Cookie: ***"),
        ("private_key: abcdefgh", "private_key: ***"),
        ("{:password => 'abc def'}", "{:password => '***'}"),
        ('"passwords": ["abc def"]', '"passwords": ["***"]'),
        ("<password>hunter22</password>", "<password>***"),
        ("?q=password%3Dhunter22", "?q=password%3D***"),
        ("+ app --password hunter22 --port 1", "+ app --password *** --port 1"),
        ("+ app --db-pass 'a b c' --port 1", "+ app --db-pass '***' --port 1"),
    ],
)
def test_the_whole_of_a_named_secret(line: str, shown: str | None) -> None:
    masked = mask(line)
    if shown is None:
        assert "abc" not in masked
        assert "def" not in masked
    else:
        assert masked == shown


NAMES = ["X-Auth-Token", "access_token", "x-api-key", "password", "DB_PASS", "client-secret", "passphrase"]
NAMES += ["AWS_CREDENTIAL", "X-Signature", "private key", "signing_key", "pwd", "passcode", "access key"]
NAMES += ["AccountKey", "shared_key", "encryption-key", "master_key", "apikey", "passwd"]
SCHEMES = ["Bearer", "bearer", "Basic", "Token", "token", "ApiKey", "Api-Key", "Key", "JWT", "Negotiate"]
SCHEMES += ["NTLM", "Bot", "SSWS", "GenieKey", "DPoP", "PrivateToken"]
# Schemes with several members behind them, which are masked with the scheme.
MANY = ["Digest", "OAuth", "Hawk", "MAC", "Signature", "AWS4-HMAC-SHA256", "SCRAM-SHA-256", "HOBA", "vapid"]
MANY += ["Mutual"]
SECRET = "abcDEF12345xyz"


@pytest.mark.parametrize("between", [": ", "=", " => ", ":"])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", [*NAMES, "Authorization"])
def test_the_secret_behind_a_scheme_is_masked(name: str, scheme: str, between: str) -> None:
    before = f"{name}{between}{scheme}"
    assert mask(f"{before} {SECRET} status=200") == f"{before} *** status=200"
    assert mask(f"{before} '{SECRET} x' status=200") == f"{before} '***' status=200"
    assert mask(f"{before}: {SECRET} status=200") == f"{before}: *** status=200"
    assert mask(f"{before} $TOKEN") == f"{before} $TOKEN"


@pytest.mark.parametrize("scheme", MANY)
@pytest.mark.parametrize("name", [*NAMES, "Authorization"])
def test_the_members_behind_a_scheme_are_masked(name: str, scheme: str) -> None:
    assert mask(f'{name}: {scheme} id="x", response="{SECRET}"') == f"{name}: ***"
    assert SECRET not in mask(f"{name}={scheme}: {SECRET}")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Authorization: Bearer 'Zx9secretVal'", "Authorization: Bearer '***'"),
        ('Authorization: Bearer "Zx9 secretVal" x', 'Authorization: Bearer "***" x'),
        ("Authorization => Bearer Zx9secretVal", "Authorization => Bearer ***"),
        ('"Authorization" => "Bearer Zx9secretVal"', '"Authorization" => "***"'),
        ("authorization header: Bearer Zx9secretVal", "authorization header: Bearer ***"),
        ("authorization header: Zx9secretVal", "authorization header: ***"),
        ("Authorization: Bearer: Zx9secretVal", "Authorization: Bearer: ***"),
        ("authorization: [Bearer Zx9secretVal]", "authorization: [Bearer ***"),
        ('{"authorization": ["Bearer Zx9secretVal"]}', '{"authorization": ["***"]}'),
        ("Authorization: \"Bearer 'Zx9secretVal'\"", 'Authorization: "***"'),
        ("Authorization: Bearer b'Zx9secretVal'", "Authorization: Bearer b'***'"),
        ("Authorization: Bearer ['Zx9secretVal']", "Authorization: Bearer ['***']"),
        ("Authorization: Bearer token: Zx9secretVal", "Authorization: Bearer token: ***"),
        ('Authorization: Token token="Zx9secretVal", id=1', 'Authorization: Token token="***", id=1'),
        ("Authorization: Whatever 'Zx9secretVal'", "Authorization: ***'"),
        ("{b'authorization': b'Bearer Zx9secretVal'}", "{b'authorization': b'***'}"),
        ("authorization header: missing", "authorization header: missing"),
        ("Authorization: ''", "Authorization: ''"),
        ("Authorization: Bearer ${TOKEN}", "Authorization: Bearer ${TOKEN}"),
        ('{"Authorization": "Bearer ${TOKEN}"}', '{"Authorization": "Bearer ${TOKEN}"}'),
        ("+ app --auth-token Bearer Zx9secretVal", "+ app --auth-token Bearer ***"),
    ],
)
def test_the_secret_of_an_authorization_however_it_is_written(line: str, shown: str) -> None:
    assert mask(line) == shown


@pytest.mark.parametrize(
    "line",
    [
        "142 tests passed: 3 skipped",
        "tokenizer: bert-base-uncased",
        "bypass: always",
        "token_url=https://example.com/oauth",
        "password_file=/run/secrets/db",
        "USE_PASSWORD=true",
        "cookie: none found",
        "max_tokens=4096",
        "app --max-tokens 4096",
        "app --token --port 8501",
        "SELECT a FROM t WHERE token = $1",
        '{"use_password": false}',
    ],
)
def test_what_only_sounds_like_a_secret_stays(line: str) -> None:
    assert mask(line) == line


@pytest.mark.parametrize(
    "line",
    [
        "password=${DB_PASSWORD}",
        "DB_PASSWORD: ${DB_PASSWORD}",
        "Server=db;Password=${DB_PASSWORD};",
        "Server=db;Password={{ password }};Port=1",
        '{"token":"${T}"}',
        '{"token": ${T}}',
        '{"a": [{"token": ${T}}]}',
        r'"{\"token\": \"${T}\"}"',
        'token="${TOKEN}"',
        "token='$TOKEN', user='x'",
        "(password=${DB_PASSWORD})",
        "[token: $(TOKEN)]",
        "password={{password}}",
        '{"password":{{password}}}',
        "connect(password=$DB_PASSWORD)",
        "token=%(token)s",
        "+ app --token ${TOKEN}",
        "+ app --token $(TOKEN)",
    ],
)
def test_references_stay(line: str) -> None:
    assert mask(line) == line


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("{password: hunter22}", "{password: ***"),
        ("password={hunter22}", "password={***"),
        ("password=[hunter22]", "password=***"),
        ("password=${DB_PASSWORD}hunter22", "password=***"),
        ("password=hunter22${X}", "password=***"),
        ("DB_PASSWORD=$2y$10$abcdefgh)", "DB_PASSWORD=***"),
    ],
)
def test_what_is_only_partly_a_reference_is_masked(line: str, shown: str) -> None:
    assert mask(line) == shown


@pytest.mark.parametrize(
    "line",
    [
        "try the --token option instead",
        "error: --password authentication failed",
        "error: the flag --password is required.",
        "usage: --api-key and --secret, both given",
        "app --no-token abcd1234",
        "app --no-password app.py",
    ],
)
def test_words_behind_a_flag_stay(line: str) -> None:
    assert mask(line) == line


@pytest.mark.parametrize("start", ["", "$ ", "started with: "])
@pytest.mark.parametrize(
    "value", [SECRET, "hunter22", "Hunter", "correct-horse", "a.b.c.d", "'correct horse'"]
)
def test_what_a_flag_is_given_is_masked(start: str, value: str) -> None:
    quote = "'" if value.startswith("'") else ""
    assert mask(f"{start}app --password {value} --port 1") == (
        f"{start}app --password {quote}***{quote} --port 1"
    )


@pytest.mark.parametrize("start", ["+ ", "++ "])
def test_a_command_that_a_shell_traces_has_no_prose(start: str) -> None:
    assert mask(f"{start}app --password correct") == f"{start}app --password ***"


def test_a_private_key_is_masked_to_its_end() -> None:
    """An encrypted one has hyphens in its headers (RFC 1421)."""
    headers = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0AF1"
    for kind in ("RSA PRIVATE KEY", "PRIVATE KEY", "PGP PRIVATE KEY BLOCK"):
        key = f"-----BEGIN {kind}-----\n{headers}\n\nMIIEpAIBAAKC\n-----END {kind}-----"
        assert "MIIE" not in mask_shapes(f"key: {key} today")
        assert mask_shapes(f"key: {key} today").endswith(" today")


def test_names_in_what_aws_says_stay() -> None:
    said = "failed to fetch secret: openai-x1Y2z3 from secrets manager"
    assert mask_shapes(said) == said
    assert mask_shapes("exec: sk-proj-abcdefghijklmnopqrst") == "exec: ***"


def environment(variables: dict[str, str]) -> dict[str, object]:
    """A task definition with these variables."""
    named = [{"name": name, "value": value} for name, value in variables.items()]
    return {"containerDefinitions": [{"name": "app", "environment": named}]}


@pytest.mark.parametrize("before", ["", "x " * 200, "a" * 4090 + " ", "b" * 100_000 + " "], ids=len)
@pytest.mark.parametrize(
    "line",
    [
        "password={}",
        '"API_KEY": "{}"',
        "Authorization: Bearer {}",
        "sk-proj-{}",
        "ghp_{}",
        "eyJhbGciOiJIUzI1NiJ9.{}.sig",
        "postgres://app:{}@db:5432/app",
        "-----BEGIN RSA PRIVATE KEY-----{}",
    ],
)
@pytest.mark.parametrize("length", [20, 3_000, 20_000, 200_000])
def test_a_secret_is_masked_whole_wherever_it_stands_and_however_long_it_is(
    line: str, before: str, length: int
) -> None:
    secret = "S3cr" * (length // 4)
    assert "S3cr" not in mask(f"{before}{line.format(secret)} and more")


def test_a_value_with_no_shape_is_masked_whole_however_long_it_is() -> None:
    value = "1-" * 5_000 + "!"
    assert secret_values(environment({"SETTING": value})) == (value,)
    assert mask(f"{'a' * 4_090} {value}", (value,)) == f"{'a' * 4_090} ***"
