# Installs the build tree and uses what was installed, as other people would:
#   cmake -DBUILD=... -DSOURCE=... -DWORK=... -DCXX=... -DWHAT=tree|deb -P install_test.cmake
# tree: cmake --install, the program away from its source, find_package, pkg-config, manual page.
# deb:  cpack, the package unpacked into an empty root, its control file, the program in it.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE err)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "failed with ${code}: ${ARGV}\n${out}\n${err}")
  endif()
  set(output "${out}" PARENT_SCOPE)
endfunction()
function(expect text pattern what)
  if(NOT text MATCHES "${pattern}")
    message(FATAL_ERROR "${what}: '${pattern}' is not in:\n${text}")
  endif()
endfunction()

# The installed program finds its shipped machines, networks, tables and reference data by itself.
function(check_program prefix)
  set(program "${prefix}/bin/vernier")
  run("${program}" run -a bitfusion_16x32 -m mobilenetv2 --bits w=4,a=8 --layer features.0
      --format json)
  expect("${output}" "\"accelerator\": \"[^\"]*share/vernier/configs/accelerators/bitfusion_16x32"
         "the installed machine is used")
  run("${program}" explain -a eyeriss_sized_ws mac leak)
  expect("${output}" "eyeriss_like_32nm.yaml" "the installed energy table is used")
  run("${program}" validate amed)
endfunction()

# What the shell would offer for the last of some words.
function(complete script words position)
  file(WRITE "${WORK}/complete.bash"
       "source '${script}'\nCOMP_WORDS=(${words})\nCOMP_CWORD=${position}\n_vernier\n"
       "echo \"\${COMPREPLY[*]}\"\n")
  run(bash "${WORK}/complete.bash")
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(check_manual page completion)
  run("${CMAKE_COMMAND}" -E env LC_ALL=C groff -man -Tascii -ww -z "${page}")
  file(READ "${page}" text)
  foreach(verb run check describe explain scalesim validate cost.+table manual)
    expect("${text}" "\n.SS ${verb}\n" "the manual page has the verb")
  endforeach()
  expect("${text}" "accelergy.\\-output" "the manual page has the options")
  complete("${completion}" "vernier ex" 1)
  expect("${output}" "^explain\n$" "completion of a verb")
  complete("${completion}" "vernier run --acc" 2)
  expect("${output}" "--accelerator --accelergy-output" "completion of an option")
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
if(WHAT STREQUAL "tree")
  set(prefix "${WORK}/prefix")
  run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${prefix}")
  check_program("${prefix}")
  check_manual("${prefix}/share/man/man1/vernier.1"
               "${prefix}/share/bash-completion/completions/vernier")
  run("${CMAKE_COMMAND}" -S "${SOURCE}/tests/install/consumer" -B "${WORK}/consumer"
      "-DCMAKE_PREFIX_PATH=${prefix}" "-DCMAKE_CXX_COMPILER=${CXX}" -DCMAKE_BUILD_TYPE=Debug)
  run("${CMAKE_COMMAND}" --build "${WORK}/consumer")
  run("${WORK}/consumer/consumer")
  expect("${output}" "macs 300774272" "the consumer costs a network")
  file(GLOB_RECURSE pc "${prefix}/*/vernier.pc")
  get_filename_component(pc_dir "${pc}" DIRECTORY)
  run("${CMAKE_COMMAND}" -E env "PKG_CONFIG_PATH=${pc_dir}" pkg-config --cflags --libs
      --define-variable=pcfiledir=${pc_dir} vernier)
  separate_arguments(flags UNIX_COMMAND "${output}")
  run("${CXX}" "-DVERNIER_DATA=\"${prefix}/share/vernier\"" "${SOURCE}/tests/install/consumer/main.cpp"
      -o "${WORK}/by_pkg_config" ${flags})
  run("${WORK}/by_pkg_config")
  run("${CXX}" -x c -std=c99 "${SOURCE}/tests/c_api/example.c" -x none -o "${WORK}/from_c" ${flags} -lm)
  run("${WORK}/from_c" "${prefix}/share/vernier/configs/accelerators/bitfusion_16x32.yaml"
      "${prefix}/share/vernier/configs/models/resnet20.yaml" "${prefix}/share/vernier/configs/energy")
else()
  run("${CMAKE_COMMAND}" -E chdir "${WORK}" cpack --config "${BUILD}/CPackConfig.cmake" -B "${WORK}/pack")
  file(GLOB package "${WORK}/pack/*.deb")
  run(dpkg-deb --field "${package}" Package Depends Architecture)
  expect("${output}" "Package: vernier" "the package's name")
  expect("${output}" "libyaml-cpp" "the package's dependencies")
  # A fresh root: an empty package database, nothing else.
  set(root "${WORK}/root")
  file(MAKE_DIRECTORY "${root}/var/lib/dpkg/info" "${root}/var/lib/dpkg/updates")
  file(TOUCH "${root}/var/lib/dpkg/status" "${root}/var/lib/dpkg/available")
  run(dpkg "--root=${root}" --force-depends --force-not-root --log=/dev/null --install "${package}")
  run(dpkg-query "--admindir=${root}/var/lib/dpkg" --show "--showformat=\${db:Status-Status}" vernier)
  expect("${output}" "^installed$" "the state of the package")
  check_program("${root}/usr")
  check_manual("${root}/usr/share/man/man1/vernier.1"
               "${root}/usr/share/bash-completion/completions/vernier")
endif()
file(REMOVE_RECURSE "${WORK}")
