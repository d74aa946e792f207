"""Which variables look like secrets, and which only sound like them."""

from __future__ import annotations

import shlex

import pytest

from lobster_tasks.secrecy import (
    command_secrets,
    hides_secret,
    looks_secret,
    shown_command,
    shown_log,
    shown_words,
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter22"),
        ("dbPassword", "hunter22"),
        ("OPENAI_API_KEY", "anything"),
        ("SECRET_KEY", "anything"),
        ("GITHUB_TOKEN", "abcd"),
        ("SENTRY_DSN", "abcdef"),
        ("X", "sk-1234567890abcdefghij"),
        ("X", "AKIAIOSFODNN7EXAMPLE"),
        ("DATABASE_URL", "postgres://app:hunter22@db/app"),
        ("X", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("X", "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----"),
    ],
)
def test_secrets(name: str, value: str) -> None:
    assert looks_secret(name, value)


# A random value, as programs make them; it has no vendor's form.
RANDOM = "kJ8x2qAbcdefG"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "DB_PASSWORD",
            "DBPASSWORD",
            "PGPASSWORD",
            "DB_PASS",
            "dbPass",
            "REDISPASS",
            "DB_PW",
            "PASSPHRASE",
        ),
        *(
            "ADMIN_PASSWORD_PROD",
            "PASSWORD_1",
            "SECRET_KEY_BASE",
            "API_KEYS",
            "APIKEY",
            "apiKey",
        ),
        *(
            "spring.datasource.password",
            "AUTH_TOKEN",
            "API_TOKENS",
            "CLIENT_SECRET",
            "VAULT_SECRET_ID",
            "GITHUB_PAT",
        ),
        *(
            "SMTP_CREDS",
            "FERNET_KEY",
            "MNEMONIC",
            "PASSWORD_PEPPER",
            "PRIVATE_KEY_B64",
            "ENCRYPTION_KEY",
            "SALT",
        ),
        *("SESSION_COOKIE", "SIGNATURE"),
    ],
)
@pytest.mark.parametrize("before", ["", "/", "x://", "arn:", "$", "-", "/a/"])
def test_a_name_decides_whatever_a_value_begins_with(name: str, before: str) -> None:
    assert looks_secret(name, before + RANDOM)
    assert hides_secret(f"{name}={RANDOM} python app.py")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://app:kJ8/x+2q@db:5432/x"),
        ("DATABASE_URL", "postgresql://app:pa@ss@db"),
        ("DATABASE_URL", "postgresql://app:my pass@db/x"),
        ("DATABASE_URL", "jdbc:postgresql://db/x?user=app&password=hunter22"),
        ("DATABASE_URL", "jdbc:mysql://db/x?user=app&password=12345678"),
        ("DB", "jdbc:oracle:thin:scott/tiger@//db:1521/orcl"),
        ("DB", "scott/tiger@db:1521/orcl"),
        ("DB", "app:hunter22@tcp(db:3306)/x"),
        ("DB", "host=db user=app password='a b c'"),
        ("DB", "host=db user=app password=ab"),
        ("MSSQL", "Server=db;User Id=sa;Password=Yukon900!;"),
        ("MSSQL", "Driver={ODBC Driver 18};Server=db;UID=sa;PWD=/Yukon900"),
        (
            "AZURE",
            f"DefaultEndpointsProtocol=https;AccountName=x;AccountKey={'Eby8' * 21}==;EndpointSuffix=y",
        ),
        ("BUS", "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=all;SharedAccessKey=a1b2c3="),
        ("BLOB", "https://x.blob.core.windows.net/c?sv=2022&sig=a%2Bb%3D"),
        ("REDIS", "cache.redis.cache.windows.net:6380,password=a1b2c3=,ssl=True"),
        ("KAFKA", 'org.apache.kafka.PlainLoginModule required username="me" password="hunter22";'),
        ("JAVA_OPTS", "-Xmx1g -Djavax.net.ssl.trustStorePassword=changeit"),
        ("EXTRA_ARGS", "--requirepass hunter22"),
        ("EXTRA_ARGS", "-password hunter22"),
        ("RUN_FIRST", "mysql -phunter22 -e 'SELECT 1'"),
        ("SENTRY_DSN", "https://key@o1.ingest.sentry.io/1"),
        ("RAVEN", "https://0a1b2c3d4e5f0a1b2c3d4e5f0a1b2c3d@o1.ingest.sentry.io/1"),
        ("PROXY", "me:hunter22@proxy.example.com:3128"),
        ("DB_PASSWORD", "/kJ8x2qAbcdefG"),
        ("DB_PASSWORD", "x://kJ8x2qAbcdefG"),
        ("DB_PASSWORD", "abc"),
        ("DB_PASSWORD", "https://kJ8x2qAbcdefG"),
        ("MAPS", "https://maps.example.com/js?key=a1b2c3d4e5f6a7b8&v=1"),
        ("OPENAIKEY", "anything"),
        ("DB_PASSWORD", "1234"),
        ("ADMIN_PASSWORD", "12345678"),
        ("API_KEY", "12345678"),
        ("BASIC_AUTH", "admin:hunter22"),
        ("FLOWER_BASIC_AUTH", "admin:admin"),
        ("REDIS_AUTH", "hunter22"),
        ("PWD", "hunter22"),
        ("NEO4J_AUTH", "neo4j/hunter22"),
        ("AUTH_HEADER", "Bearer abcdefgh12345678"),
        ("HEADER", "Authorization: Token 9944b09199"),
        ("GCP_SA_JSON", '{"type": "service_account", "private_key": "abc"}'),
        ("GCP_SA", "eyJ0eXBlIjoic2VydmljZV9hY2NvdW50IiwicHJvamVjdF9pZCI6ImEifQ=="),
        ("CONFIG", '{"db": {"hosts": [{"password": "x1"}]}}'),
        ("CONFIG", '[{"url": "postgres://a:pa/ss@db"}]'),
        ("CONFIG", "db:\n  user: app\n  password: hunter22\n"),
        ("X", "/JalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("X", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nabc"),
        ("X", "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----"),
        ("TEAMS_WEBHOOK", "https://prod-1.westus.logic.azure.com/workflows/0af1/triggers?sv=1&sig=abc"),
        ("ALERT_WEBHOOK_URL", "https://example.com/hooks/0af1b2c3d4e5f6a7b8"),
    ],
)
def test_secrets_in_any_form(name: str, value: str) -> None:
    assert looks_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GREETING", "Hello, World!"),
        ("DATABASE_URL", "postgres://db/app"),
        ("SECRET_ARN", "arn:aws:secretsmanager:us-east-2:123456789012:secret:shop-AbC123"),
        ("TOKEN_TTL", "3600"),
        ("TOKEN_URL", "https://example.com/Token1"),
        ("KEY_FILE", "key.pem"),
        ("MAX_TOKENS", "4096"),
        ("USE_PASSWORD", ""),
        ("MODEL", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ("PASSWORD_FILE", "/run/secrets/Password1234567890"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("TOKENIZER", "bert-base-uncased"),
        ("PASSWORD_MIN_LENGTH", "8"),
        ("PASSWORD_HASHER", "argon2"),
        ("PASSWORD_RESET_TIMEOUT", "3600s"),
        ("USE_PASSWORD", "true"),
        ("REQUIRE_PASSWORD", "1"),
        ("TOKEN_ALGORITHM", "HS256"),
        ("MAX_TOKEN", "128000"),
        ("KEY_PREFIX", "app"),
        ("SORT_KEY", "created_at"),
        ("PARTITION_KEY", "user_id"),
        ("SECRETS_MANAGER_REGION", "us-east-1"),
        ("CREDENTIALS_PROVIDER", "container"),
        ("PRIVATE_SUBNET", "10.0.0.0/24"),
        ("AUTH_MODE", "oauth"),
        ("AUTH", "oauth2"),
        ("SMTP_AUTH", "plain"),
        ("BYPASS", "never"),
        ("COMPASS", "north"),
        ("PWD", "/app"),
        ("GPIO_PIN", "17"),
        ("DB_PASSWORD", "/run/secrets/db_password"),
        ("DB_PASSWORD", "/prod/v1/db/password"),
        ("DB_PASSWORD", "${DB_PASSWORD}"),
        ("MSSQL", "Server=db;User Id=sa;Password=${DB_PASSWORD};"),
        ("CONFIG", '{"token":"${T}"}'),
        ("CONFIG", "(password=${DB_PASSWORD})"),
        ("HEADER", "Authorization: Bearer ${TOKEN}"),
        ("DB_PASSWORD", "op://vault/item/password"),
        ("API_KEY", "arn:aws:secretsmanager:us-east-2:123456789012:secret:shop-AbC123"),
        ("API_KEY", "arn:aws:ssm:us-east-2:123456789012:parameter/prod/Key1234567890Abcdef"),
        ("SENTRY_DSN", "https://sentry.io/1"),
        ("ROLE", "arn:aws:iam::123456789012:role/Some-Role-1234567890Abcdef"),
        ("QUEUE", "https://sqs.us-east-2.amazonaws.com/123456789012/Orders-1"),
        ("BUCKET", "s3://acme-data/2024/Some-File-1234567890.csv"),
        ("HOST", "db-1.abcdefghijkl.us-east-2.rds.amazonaws.com:5432"),
        ("URL", "https://example.com:8443/users/@me?tab=Keys"),
        ("REDIS_URL", "redis://cache:6379/0"),
        ("DATABASE_URL", "postgresql://app@db:5432/x?sslmode=require"),
        ("JDBC", "jdbc:sqlserver://db:1433;databaseName=x;encrypt=true"),
        ("JDBC", "jdbc:oracle:thin:@//db:1521/orcl"),
        ("MSSQL", "Server=db;Database=x;Trusted_Connection=True;"),
        ("MODEL", "meta-llama/Llama-3-8B-Instruct"),
        ("MODEL", "mistralai/Mixtral-8x7B-Instruct"),
        ("MODEL", "Qwen/Qwen2-7B-Instruct-20240601"),
        ("DATA_FOLDER", "/mnt/Data/550e8400-e29b-41d4-a716-446655440000"),
        ("FOLDER", "/app/Data2024/Report-Templates/v2"),
        ("GIT_SHA", "2988abc0ffee2988abc0ffee2988abc0ffee2988"),
        ("RUN_ID", "550e8400-e29b-41d4-a716-446655440000"),
        ("COGNITO_POOL_ID", "us-east-2_AbCdEf123456789"),
        ("SHEET_ID", "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms"),
        ("IMAGE", "registry:5000/app@sha256:0af1"),
        ("PACKAGE", "npm:react@18.2.0"),
        ("CONTACT", "mailto:a@example.com"),
        ("CONTACT", "a@example.com"),
        ("REMOTE", "git@github.com:acme/app.git"),
        ("ACTION", "actions/checkout@v4"),
        ("CONFIG", '{"max_tokens": 4096, "token_url": "https://x.com/t", "use_password": false}'),
        ("CONFIG", "[1, 2]"),
        ("CONFIG", "[" * 100_000),
        ("ALLOWED_ORIGINS", "https://a.example.com,https://b.example.com:8443"),
        ("ALERT_WEBHOOK_URL", "https://example.com/hooks/alerts"),
        ("JAVA_OPTS", "-Xmx1g -Dserver.port=8080"),
        ("LEVELS", "app=debug,auth=info"),
        ("SCHEDULE", "0 12 * * ? *"),
        ("TITLE", "Sales & Key=Value"),
        ("LABELS", "team=data,key=x"),
        ("QUERY", "SELECT key FROM t WHERE token = $1"),
        ("KMS_KEY", "alias/my-key"),
        ("FUNCTION", "MyFunctionName-ProdStack-1ABCDEFGHIJK2"),
    ],
)
def test_no_secrets(name: str, value: str) -> None:
    assert not looks_secret(name, value)


# ``key`` between other members, and as a flag, is mostly the key of a thing.
KEY = "a1b2c3d4e5f6a7b8"


@pytest.mark.parametrize(
    ("value", "of_a_thing"),
    [
        ('[{"key":"dark-mode","on":true}]', True),
        ('{"key":"id","sort":"name"}', True),
        ('{"Key":"id"}', True),
        ('{"keys":["id","name"]}', True),
        ("key=id,sort=name", True),
        ("-t , --key 2,2", True),
        ("--key=customer_id", True),
        (f'{{"key":"{KEY}"}}', False),
        (f'{{"keys":["{KEY}"]}}', False),
        (f"key={KEY},sort=name", False),
        (f"--key {KEY}", False),
        (f"--key={KEY}", False),
        ('{"api_key":"id"}', False),
        ("--api-key id", False),
        ("A=b KEY=hunter22", False),
    ],
)
def test_the_key_of_a_thing(value: str, of_a_thing: bool) -> None:
    assert looks_secret("FLAGS", value) is not of_a_thing


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ("12:30@daily", False),
        ("a:b@c", False),
        ("backup:weekly@monday", False),
        ("12:30@example.com", False),
        ("app:8080@example.com", False),
        ("app:v1.2.3@prod", False),
        ("app:2024-11@prod", False),
        ("me:hunter22@proxy.example.com:3128", True),
        ("bob:team@example.com", True),
        ("app:hunter@db:5432", True),
        ("app:12345@db:5432", True),
        ("app:hunter@db/app", True),
        ("app:hunter@localhost", True),
        ("app:hunter22@db", True),
        ("app:Pa@s5word@db", True),
        ("app:hunter@tcp(db:3306)/x", True),
    ],
)
def test_a_user_and_a_password_before_a_host(value: str, secret: bool) -> None:
    assert looks_secret("X", value) is secret


COMMANDS: list[tuple[str, bool]] = [
    ("sort --key 2,2 f", False),
    ("python etl.py --key customer_id", False),
    ("python etl.py --key=customer_id", False),
    ('python etl.py --config \'{"key": "id"}\'', False),
    (f"python etl.py --key {KEY}", True),
    (f"python etl.py --key={KEY}", True),
    ("KEY=hunter22 python etl.py", True),
    ("app --no-token x", False),
    ("app --no-password=x", False),
    ("app --no-token --token hunter22", True),
    ("app --password correct", True),
    ("app --token option", True),
    ("app --auth-token 'Bearer abcdefgh'", True),
    ("curl -H 'X-Auth-Token: Bearer abcDEF12345xyz' https://example.com", True),
    ("app --password=hunter22", True),
    ("app --api-key abcdefgh --port 1", True),
    ("API_TOKEN=abcdefgh python app.py", True),
    ("pip install --extra-index-url https://me:hunter22@example.com/simple x", True),
    ("app --key sk-1234567890abcdefghij", True),
    ("app --password=$PASSWORD", False),
    ("app --token '$TOKEN'", False),
    ("TOKEN=$OTHER python app.py", False),
    ("app --max-tokens 4096", False),
    ("app --max-tokens=4096", False),
    ("python app.py --server.port 8501", False),
    ("DB_PASS=hunter22 python app.py", True),
    ("PASSPHRASE=hunter22 python app.py", True),
    ("PASSWORD='correct horse' python app.py", True),
    ("export DB_PASS=hunter22; python app.py", True),
    ("env DB_PASS=hunter22 python app.py", True),
    ("app --pwd=hunter22", True),
    ("app --pwd hunter22", True),
    ("app --db-pass hunter22", True),
    ("app --dbPassword=hunter22", True),
    ("app --password 'a b c d'", True),
    ('app --password "a b c d"', True),
    ("app --password=abc", True),
    ("app --password=''\"'\"'b3MT'", True),
    ("mysql -p'$-;z'", True),
    ("app --password 12345678", True),
    ("app --password='Pa$sw0rd'", True),
    ("app --password /kJ8x2qAbcdefG", True),
    ("app --secret-key 'a b c d'", True),
    ("java -Dspring.datasource.password=hunter22 -jar app.jar", True),
    ("redis-server --requirepass hunter22", True),
    ("mysql -phunter22", True),
    ("mysqldump -u root -phunter22 app", True),
    ("/usr/bin/mysql -p'hunter22' app", True),
    ("sshpass -p hunter22 ssh me@host", True),
    ("redis-cli -a hunter22 ping", True),
    ("curl -u admin:hunter22 https://example.com", True),
    ("curl --user admin:hunter22 https://example.com", True),
    ("curl -uadmin:hunter22 https://example.com", True),
    ("curl -H 'Authorization: Token 9944b09199c6' https://example.com", True),
    ("curl -H 'X-Api-Key: 9944b09199c6' https://example.com", True),
    ("sqlcmd -S db -U sa -P hunter22", True),
    ("mongosh -u me -p hunter22", True),
    ("docker login -u me -p hunter22 example.com", True),
    ("smbclient -U me%hunter22 //host/share", True),
    ("openssl rsa -passin pass:hunter22 -in key.pem", True),
    ("streamlit run app.py --db postgresql://app:kJ8/x@db/x", True),
    ("streamlit run app.py --db 'Server=db;User Id=sa;Password=Yukon900!'", True),
    ("app wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", True),
    ("app --pat a1b2c3d4", True),
    ("sh -c 'mysql -phunter22'", True),
    ("sh -c 'exec app --password \"a b\"'", True),
    ("PASSWORD=${OTHER:-hunter22} app", True),
    ("app --db ${PASSWORD:-hunter22}", True),
    ("curl -u https://example.com", False),
    ("uvicorn app:app --ssl-keyfile key.pem", False),
    ("bash -c 'source .env && exec python app.py'", False),
    ("app --password $(cat /run/secrets/x)", False),
    ("app --password", False),
    ("app --password --port 8501", False),
    ("app --password-file /run/secrets/x", False),
    ("app --token-url https://example.com/token", False),
    ("app --tokenizer bert-base-uncased", False),
    ("app --use-password true", False),
    ("app --db postgres://$USER:$PASSWORD@db/x", False),
    ("app --model meta-llama/Meta-Llama-3-8B-Instruct", False),
    ("app --sort-key created_at", False),
    ("TOKENIZERS_PARALLELISM=false python app.py", False),
    ("streamlit run app.py -p 8501", False),
    ("mysql -p app", False),
    ("mysql -p$PASSWORD app", False),
    ("mysql -P 3306 app", False),
    ("mkdir -p logs && python app.py", False),
    ("curl -u $USER:$PASSWORD https://example.com", False),
    ("redis-cli -a $PASSWORD ping", False),
    ("uvicorn app:create_app --factory --host 0.0.0.0", False),
    ("pip install git+ssh://git@github.com/acme/app@v1 'x[all]==1.0'", False),
    ("npm install @scope/package@1.0", False),
    ("echo it's", False),
    ("PWD=/app python app.py", False),
]


@pytest.mark.parametrize(("command", "hides"), COMMANDS)
def test_commands(command: str, hides: bool) -> None:
    assert hides_secret(command) is hides


# What is secret in these commands.
HIDDEN = (
    "hunter22",
    "9944b09199c6",
    "correct",
    "option",
    "abcdefgh",
    "abcDEF12345xyz",
    "a b",
    "=abc",
    "kJ8x",
)
HIDDEN = (
    *HIDDEN,
    "12345678",
    "Pa$sw0rd",
    "Yukon900",
    "wJalrXUt",
    "a1b2c3d4",
    "sk-1234",
    "b3MT",
    "-;z",
    "'id'",
)


@pytest.mark.parametrize(("command", "hides"), COMMANDS)
def test_a_command_is_shown_without_what_it_hides_and_else_as_it_is(command: str, hides: bool) -> None:
    """As a text, as words, and as a script of a shell; what is shown hides nothing any more."""
    words = ["sh", "-c", command] if "it's" in command or "$(" in command else shlex.split(command)
    script = ["sh", "-c", command]
    for shown in (shown_command(command), " ".join(shown_words(words)), " ".join(shown_words(script))):
        assert ("***" in shown) is hides
        assert not hides or not [each for each in HIDDEN if each in shown], shown
    if not hides:
        assert shown_command(command) == command
        assert shown_words(words) == tuple(words)
        assert shown_words(script) == tuple(script)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["streamlit", "run", "app.py", "--api-key", "hunter2secret"], "streamlit run app.py --api-key ***"),
        (["streamlit run app.py --key=sk-proj-abcdefghijklmnopqrst"], "streamlit run app.py --key=***"),
        (["sh", "-c", "cd /x && app --api-key 'a bcd' $P"], "sh -c cd /x && app --api-key '***' $P"),
        (["curl", "-u", "admin:hunter2secret", "https://x"], "curl -u admin:*** https://x"),
        (["curl", "-H", "Authorization: Bearer abcDEF1"], "curl -H Authorization: Bearer ***"),
        (["app", "password", "=", "hunter2"], "app password = ***"),
        (["mysql", "-phunter2"], "mysql -p***"),
        (["app", "--token=$(cat /x)y"], "app ***"),
        (["app", "--token", "prod", "prod-web"], "app --token *** prod-web"),
        (["mysql", "-proot", "rootfs"], "mysql -p*** rootfs"),
        (["sh", "-c", "export OPENAI_API_KEY=abc123def; run"], "sh -c export OPENAI_API_KEY=***; run"),
        (["SECRET=abc1234; run"], "SECRET=***; run"),
        (
            ["python", "-c", "x({'Authorization':'Bearer abcdef123456'})"],
            "python -c x({'Authorization':'***'})",
        ),
        (["python", "-c", "x({'X-Api-Key':'abcd1234efgh'})"], "python -c x({'X-Api-Key':'***'})"),
        (["sh", "-c", 'f \'{"password": "abcd1234"}\' $HOST'], 'sh -c f \'{"password": "***"}\' $HOST'),
        (["curl", "-H", "X-Api-Key:abcdef123456"], "curl -H X-Api-Key:***"),
        (["curl", "-H", "X-Api-Key: abcdef123456 $X"], "curl -H X-Api-Key: *** $X"),
        (["curl", "-sfu", "admin:hunter22"], "curl -sfu admin:***"),
        (["curl", "-sfuadmin:hunter22"], "curl -sfuadmin:***"),
        (["curl", "--oauth2-bearer", "abcdef123456"], "curl --oauth2-bearer ***"),
    ],
)
def test_only_the_secret_is_stars(words: list[str], shown: str) -> None:
    assert " ".join(shown_words(words)) == shown


def test_the_secrets_of_a_command_that_can_be_told_from_other_text() -> None:
    assert command_secrets(["app", "--api-key", "hunter2secret", "--token", "x"]) == ("hunter2secret",)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("+ curl -u admin:hunter2secret https://x", "+ curl -u admin:*** https://x"),
        ("+ mysql -phunter2secret", "+ mysql -p***"),
        ("+ docker login -p hunter2secret", "+ docker login -p ***"),
        ("+ sshpass -p hunter2secret ssh a@b", "+ sshpass -p *** ssh a@b"),
        ("++ export TOKEN=abc && mysql -phunter2", "++ export TOKEN=*** && mysql -p***"),
        ("+ app --key a1b2c3d4e5f6a7b8", "+ app --key ***"),
        ("$ redis-cli -a hunter2secret ping", "$ redis-cli -a *** ping"),
        ("cannot run curl -u admin:hunter2secret https://x", "cannot run curl -u admin:*** https://x"),
        ("subprocess: mysql -u root -phunter2secret failed", "subprocess: mysql -u root -p*** failed"),
        ("+ python app.py --port 8501", "+ python app.py --port 8501"),
        ("+ mysql -p$PASSWORD app", "+ mysql -p$PASSWORD app"),
        ("2024 INFO login -port 8501 import portable", "2024 INFO login -port 8501 import portable"),
        ("user login - previous -p 200 status 200 OK", "user login - previous -p 200 status 200 OK"),
        ("GET http -a b:1200 12001", "GET http -a b:1200 12001"),
        ("error: unrecognized arguments: -p hunter2", "error: unrecognized arguments: -p hunter2"),
    ],
)
def test_a_log_tells_commands_without_what_they_hide(line: str, shown: str) -> None:
    assert shown_log([line]) == [shown]


def body(lines: int, width: int) -> list[str]:
    """The base64 of a key, whose last line is shorter; each line of it has its number."""
    whole = [f"Line{number:02}/" + "aB3+" * (width // 4) for number in range(lines)]
    return [*(line[:width] for line in whole), "Line99aB3="]


# Each kind of private key as programs write it, RFC 7468, 4880, 4716, and those of OpenSSH and PuTTY.
PRIVATE_KEYS = {
    **{
        kind: [f"-----BEGIN {kind}-----", *body(12, 64), f"-----END {kind}-----"]
        for kind in ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY")
    },
    "OPENSSH": [
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        *body(6, 70),
        "-----END OPENSSH PRIVATE KEY-----",
    ],
    "ENCRYPTED": [
        "-----BEGIN RSA PRIVATE KEY-----",
        "Proc-Type: 4,ENCRYPTED",
        "DEK-Info: AES-128-CBC,0AF1",
        "",
        *body(12, 64),
        "-----END RSA PRIVATE KEY-----",
    ],
    "PGP": [
        "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        "Version: 1",
        "",
        *body(12, 64),
        "=aB3d",
        "-----END PGP PRIVATE KEY BLOCK-----",
    ],
    "SSH2": [
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
        'Comment: "me"',
        *body(12, 70),
        "---- END SSH2 ENCRYPTED PRIVATE KEY ----",
    ],
    "PuTTY": ["Private-Lines: 9", *body(8, 64), "Private-MAC: " + "0af1" * 16],
}
AROUND = {
    "plain": "{}",
    "time": "2026-11-30T12:00:00Z app | {}",
    "bytes": "b'{}\n'",
    "JSON": '    "{}",',
    "event": '{{"log":"{}","stream":"stdout"}}',
}


LINES_OF_A_LOG = [
    "2026-11-30 12:00:01 ERROR app giving up: bad config",
    "Start app",
    "File not found: x",
    "Traceback (most recent call last):",
    "RuntimeError: no key",
]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("kind", PRIVATE_KEYS)
def test_no_window_of_a_log_shows_a_line_of_a_private_key(kind: str, around: str) -> None:
    """A log has an event for each line, and what is shown of it begins and ends anywhere."""
    key = [AROUND[around].format(line) for line in PRIVATE_KEYS[kind]]
    log = ["starting", *key, "Traceback (most recent call last):", "ValueError: no model"]
    ends = len(
        key
    )  # the line that ends it; the one before it may be short, and by itself it could be anything
    for begin in range(len(log)):
        for end in range(begin + 1, len(log) + 1):
            if begin >= ends - 2 and end <= ends:
                continue
            shown = shown_log(log[begin:end])
            seen = [line for line in shown if "aB3" in line]
            assert seen == [], (begin, end)
            assert (begin == 0) is ("starting" in shown)
            assert ("ValueError: no model" in shown) is (end == len(log))


def test_a_key_is_one_line_and_what_is_around_it_stays() -> None:
    key = PRIVATE_KEYS["PRIVATE KEY"]
    assert shown_log(["a", *key, "b"]) == ["a", "***", "b"]
    assert shown_log(["a", *key, *key, "b"]) == ["a", "***", "***", "b"]
    assert shown_log([*key[:4], "Traceback (most recent call last):", "Killed"])[1:] == [
        "Traceback (most recent call last):",
        "Killed",
    ]
    assert shown_log([*key[4:], "Killed"]) == ["***", "Killed"]
    assert shown_log([*key[4:8], "Killed"]) == ["***", "Killed"]


@pytest.mark.parametrize(
    "line",
    [
        "/usr/local/lib/python3/streamlit/runtime/scriptrunner/resources/files",
        "a" * 64,
        "2988abc0ffee2988abc0ffee2988abc0ffee29882988abc0ffee2988abc0ffee",
        "sha256:2988abc0ffee2988abc0ffee2988abc0ffee29882988abc0ffee2988abc0ffee",
        "=" * 80,
        "-----BEGIN CERTIFICATE-----",
    ],
)
def test_long_texts_that_are_no_keys_stay(line: str) -> None:
    assert shown_log([line]) == [line]


@pytest.mark.parametrize("marker", ["-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"])
@pytest.mark.parametrize("before", ["", "2026-11-30 12:00:01 ERROR app jwt key must be like "])
@pytest.mark.parametrize(
    "around", [LINES_OF_A_LOG, LINES_OF_A_LOG[::-1], ["ok", "", "8501", "x2: no", "Killed"]]
)
def test_a_line_that_only_names_a_private_key_takes_no_other_with_it(
    around: list[str], before: str, marker: str
) -> None:
    shown = shown_log([*around, f"{before}{marker}", *around])
    assert [line for line in shown if line and "***" not in line] == [
        line for line in [*around, *around] if line
    ]
    assert shown_log(["a b", f"no {marker}", "c", f"no {marker}", "d e"])[::2] == ["a b", "c", "d e"]


def test_a_key_between_lines_that_name_one() -> None:
    key = PRIVATE_KEYS["ENCRYPTED"]
    log = ["Start app", "key: " + key[0], *key[1:], "a key ends with -----END PRIVATE KEY-----", "bye"]
    assert shown_log(log) == ["Start app", "key: ***", "***", "***", "bye"]
    assert shown_log([*key[:6], "bye", "-----END PRIVATE KEY-----"]) == ["***", "bye", "***"]


@pytest.mark.parametrize(
    "name", ["Jdbc4DataSourceAutoConfiguration", "Http2ServerUpgradeCodecFactoryOfNetty"]
)
def test_the_name_of_a_class_in_a_long_path_stays(name: str) -> None:
    line = f"at com/example/springframework/boot/autoconfigure/jdbc/{name} failed"
    assert shown_log([line]) == [line]
