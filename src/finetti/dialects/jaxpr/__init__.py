"""Programs written in JAX as graphs: each primitive of a traced function becomes operations.

`walk` goes through the equations, the other modules are tables from the name of a primitive to a
function of its parameters and tensors. What a program computes with 32-bit numbers is computed with
64 here.
"""
