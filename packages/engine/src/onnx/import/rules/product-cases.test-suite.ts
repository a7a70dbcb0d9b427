import { data, type OpCase, type OpCases } from "./op-case.test-suite.ts"

const both = [11, 22]
const x = (...shape: number[]) => data(shape)

const einsum = (equation: string, ...inputs: ReturnType<typeof x>[]): OpCase => ({
  opsets: [12, 22],
  inputs,
  attributes: { equation },
})

export const productCases: OpCases = {
  MatMul: [
    { opsets: [11, 13, 22], inputs: [x(2, 3), x(3, 4)] },
    { opsets: both, inputs: [x(2, 2, 3), x(3, 2)] },
    { opsets: both, inputs: [x(2, 1, 2, 3), x(3, 3, 2)] },
    { opsets: both, inputs: [x(2, 3), x(4, 3, 2)] },
    { opsets: both, inputs: [x(3), x(3, 2)] },
    { opsets: both, inputs: [x(2, 3), x(3)] },
    { opsets: both, inputs: [x(3), x(3)] },
    { opsets: both, inputs: [x(2, 2, 3), x(3)] },
    { opsets: both, inputs: [x(3), x(2, 3, 2)] },
  ],
  Gemm: [
    { opsets: both, inputs: [x(2, 3), x(3, 4)] },
    ...[0, 1].flatMap((transA) =>
      [0, 1].map((transB): OpCase => {
        const [a, b] = [transA ? x(3, 2) : x(2, 3), transB ? x(4, 3) : x(3, 4)]
        return { opsets: both, inputs: [a, b, x(4)], attributes: { transA, transB, alpha: { float: 0.7 } } }
      }),
    ),
    { opsets: [11, 13], inputs: [x(2, 3), x(3, 4), x(2, 1)], attributes: { beta: { float: 0.5 } } },
    { opsets: both, inputs: [x(2, 3), x(3, 4), x(2, 4)], attributes: { beta: { float: 2 }, alpha: { float: 3 } } },
    { opsets: both, inputs: [x(2, 3), x(3, 4), x()] },
    { opsets: both, inputs: [x(1, 3), x(3, 1), x(1)] },
  ],
  Einsum: [
    einsum("ij,jk->ik", x(2, 3), x(3, 4)),
    einsum("bij,bjk->bik", x(2, 2, 3), x(2, 3, 2)),
    einsum("bhid,bhjd->bhij", x(2, 2, 2, 3), x(2, 2, 3, 3)),
    einsum("bhij,bhjd->bihd", x(1, 2, 2, 3), x(1, 2, 3, 2)),
    einsum("...ij,...jk->...ik", x(2, 2, 3), x(2, 3, 2)),
    einsum("...i,ij", x(2, 2, 3), x(3, 2)),
    einsum("i,j->ij", x(3), x(2)),
    einsum("i,i->", x(3), x(3)),
    einsum("ij->ji", x(2, 3)),
    einsum("ij->i", x(2, 3)),
    einsum("ij->", x(2, 3)),
    einsum("ij,kl->il", x(2, 3), x(2, 2)),
    einsum("ba,c", x(2, 3), x(2)),
    einsum("ij,ij->ij", x(2, 3), x(2, 3)),
    einsum("ij,jk,kl->il", x(2, 3), x(3, 2), x(2, 2)),
    einsum("nchw,kc->nkhw", x(1, 2, 2, 3), x(3, 2)),
    einsum(" b i , b j -> b j i ", x(2, 3), x(2, 2)),
    einsum("ii->i", x(3, 3)),
    einsum("ii->", x(3, 3)),
    einsum("ii", x(4, 4)),
    einsum("ii->i", x(1, 1)),
    einsum("biic->bc", x(2, 3, 3, 2)),
    einsum("iji->ji", x(3, 2, 3)),
    einsum("iii->i", x(3, 3, 3)),
    einsum("ijij->ij", x(2, 3, 2, 3)),
    einsum("...ii->...i", x(2, 3, 3)),
    einsum("ii,ij->j", x(3, 3), x(3, 2)),
    einsum("ij,jj->ij", x(2, 3), x(3, 3)),
  ],
}
