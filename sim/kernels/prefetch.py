"""Ask the processor to fetch a record before it is needed."""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(typing_context: Any, records: types.Array, i: types.Integer) -> Any:
    """Begin to load record i of a structured array, which must exist. Changes nothing but the time that it takes."""
    del typing_context

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array_type, i_type = signature.args
        array = context.make_array(array_type)(context, builder, arguments[0])
        place = context.cast(builder, arguments[1], i_type, types.intp)
        address = cgutils.get_item_pointer(context, builder, array_type, array, [place], wraparound=False)
        byte = ir.IntType(8).as_pointer()
        number = ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [byte, number, number, number]), "llvm.prefetch.p0"
        )
        for_writing, keep_near, data = number(1), number(3), number(1)
        builder.call(function, [builder.bitcast(address, byte), for_writing, keep_near, data])
        return context.get_dummy_value()

    return types.void(records, i), generate
