# Runs one test function of one file in MicroPython: micropython mp_runner.py FOLDER MODULE FUNCTION
# Exit 0: passed. 1: failed, with the traceback on stdout. The module search path comes with MICROPYPATH.
import sys


def run(folder, module_name, function_name):
    sys.path.insert(0, folder)
    module = __import__(module_name)
    result = getattr(module, function_name)()
    # A coroutine is a generator here: the function was `async def`.
    if hasattr(result, "send"):
        import asyncio

        asyncio.run(result)


try:
    run(*sys.argv[1:4])
except Exception as error:
    sys.print_exception(error)
    sys.exit(1)
