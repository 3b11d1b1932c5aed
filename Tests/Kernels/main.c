// Runs every kernel of every instruction set of this machine at the edges of its memory, against the scalar reference.
#include "checks.h"

#include <stdio.h>
#include <time.h>

const apus_kernels *instruction_sets[APUS_ISA_COUNT];
apus_isa instruction_set_numbers[APUS_ISA_COUNT];
size_t instruction_set_count;

bool multiplies_pairs(size_t set) {
    const apus_isa isa = instruction_set_numbers[set];
    return isa == APUS_ISA_AVX512_BF16 || isa == APUS_ISA_AMX_BF16 || isa == APUS_ISA_NEON_BF16;
}

static void run(const char *name, void (*check)(void)) {
    const clock_t start = clock();
    check();
    printf("%s: %.1f s\n", name, (double)(clock() - start) / CLOCKS_PER_SEC);
    fflush(stdout);
}

int main(void) {
    static const char *const names[APUS_ISA_COUNT] = {"scalar",      "portable",    "avx2",     "avx2-vnni", "avx512",
                                                      "avx512-vnni", "avx512-bf16", "amx-bf16", "neon-dot",  "neon-bf16"};
    for (int isa = 0; isa < APUS_ISA_COUNT; isa++) {
        const apus_kernels *kernels = apus_kernels_for((apus_isa)isa);
        if (!kernels) {
            printf("skipped, since this machine lacks it: %s\n", names[isa]);
            continue;
        }
        printf("checked: %s\n", kernels->name);
        instruction_set_numbers[instruction_set_count] = (apus_isa)isa;
        instruction_sets[instruction_set_count++] = kernels;
    }
    run("element by element", check_elementwise);
    run("products", check_products);
    run("attention", check_attention);
    run("far places", check_far_places);
    puts("every kernel stays within its memory and agrees with the scalar one");
    return 0;
}
