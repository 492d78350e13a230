"""Benchmarks: modules with `async def measure() -> list[Result]`. `make bench` runs all, `BENCH=name` one."""
