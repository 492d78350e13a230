# syntax=docker/dockerfile:1
# One image a service: `docker build --target gateway .`; the targets are ingest, router, gateway, delivery and tools.

FROM python:3.11-slim-bookworm AS packages
COPY requirements/runtime.txt /tmp/runtime.txt
# Wheels alone, each checked by its hash. Faust must bring its compiled extension: the router refuses to start without.
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes -r /tmp/runtime.txt \
 && /opt/venv/bin/python -c "import faust._cython.streams" \
 && /opt/venv/bin/pip uninstall --yes pip

FROM python:3.11-slim-bookworm AS base
RUN groupadd --gid 10001 carillon && useradd --uid 10001 --gid carillon --no-create-home --shell /usr/sbin/nologin carillon
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CARILLON_HTTP_HOST=0.0.0.0
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY libs libs
COPY services/__init__.py services/__init__.py
RUN python -m compileall -q libs

# Migrations, topics and the `carillon` command.
FROM base AS tools
COPY cli cli
RUN python -m compileall -q cli
USER 10001:10001
ENTRYPOINT ["python", "-m", "cli"]
CMD ["--help"]

FROM base AS ingest
COPY services/ingest services/ingest
RUN python -m compileall -q services
USER 10001:10001
EXPOSE 3001
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=6 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:3001/readyz', timeout=2)"]
CMD ["python", "-m", "services.ingest"]

FROM base AS router
COPY services/router services/router
RUN python -m compileall -q services
USER 10001:10001
EXPOSE 3003
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=6 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:3003/readyz', timeout=2)"]
CMD ["python", "-m", "services.router"]

FROM base AS gateway
COPY services/gateway services/gateway
RUN python -m compileall -q services
USER 10001:10001
EXPOSE 3002
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=6 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:3002/readyz', timeout=2)"]
CMD ["python", "-m", "services.gateway"]

FROM base AS delivery
COPY services/delivery services/delivery
RUN python -m compileall -q services
USER 10001:10001
EXPOSE 3004
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=6 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:3004/readyz', timeout=2)"]
CMD ["python", "-m", "services.delivery"]
